// SPDX-License-Identifier: MIT
//
// Writes the text of a profile.
#include "profiler/dump.h"

#include "profiler/sample_registry.h"
#include "profiler/size_histogram.h"
#include "profiler/stack/build_ids.h"
#include "profiler/tags/thread_names.h"

namespace hotlane {

namespace {

using sampler::unsampled;

/// The sampled counts from which a reader's scaling recovers the tally. They are never 0 if the tally is not,
/// and keep its mean object size.
struct Sampled {
    uint64_t objects = 0;
    uint64_t bytes = 0;

    Sampled() = default;
    explicit Sampled(const Tally& tally) {
        if (tally.samples == 0) {
            return;
        }
        const double mean = static_cast<double>(tally.bytes) / static_cast<double>(tally.objects);
        const uint64_t period = sampler::period();
        const double chance = period <= 1 ? 1.0 : sampler::one_minus_exp(mean / static_cast<double>(period));
        objects = sampler::rounded(static_cast<double>(tally.objects) / sampler::kOne * chance);
        objects += objects == 0 ? 1 : 0;
        bytes = sampler::rounded(static_cast<double>(objects) * mean);
    }
    Sampled& operator+=(const Sampled& other) {
        objects += other.objects;
        bytes += other.bytes;
        return *this;
    }
};

void write_sampled(Writer& out, const Sampled& live, const Sampled& total) {
    out.number(live.objects).text(": ").number(live.bytes);
    out.text(" [").number(total.objects).text(": ").number(total.bytes).text("] @");
}

void write_tally(Writer& out, const char* name, const Tally& tally, bool with_requested) {
    out.text(" ")
        .text(name)
        .text("=")
        .number(unsampled(tally.objects))
        .text(",")
        .number(unsampled(tally.bytes));
    if (with_requested) {
        out.text(",").number(unsampled(tally.requested));
    }
}

void write_lifetimes(Writer& out, const Site& site) {
    out.text(" lifetimes=");
    const char* separator = "";
    for (size_t power = 0; power < Site::kLifetimes; ++power) {
        if (site.lifetimes[power] != 0) {
            out.text(separator).number(power).text(":").number(unsampled(site.lifetimes[power]));
            separator = ",";
        }
    }
    out.text(*separator == '\0' ? "-\n" : "\n");
}

void write_site(const Site& site, const uintptr_t* frames, void* context) {
    Writer& out = *static_cast<Writer*>(context);
    write_sampled(out, Sampled{site.live}, Sampled{site.total});
    for (size_t i = 0; i < site.depth; ++i) {
        out.text(" ").hex(frames[i]);
    }
    out.text("\n# site:");
    write_tally(out, "live", site.live, true);
    write_tally(out, "total", site.total, true);
    write_tally(out, "peak", site.peak, true);
    write_tally(out, "temporary", site.temporary, false);
    write_tally(out, "remote", site.remote, false);
    if (site.tags.object_size != 0) {
        out.text(" size=").number(site.tags.object_size);
    }
    if (site.tags.thread != 0) {
        out.text(" thread=").number(site.tags.thread);
    }
    write_lifetimes(out, site);
}

void write_threads(Writer& out) {
    for (uint32_t number = 1; number <= thread_names::kOthers; ++number) {
        const char* name = thread_names::name(number);
        if (*name != '\0') {
            out.text("# thread: ").number(number).text(" ").shown(name).text("\n");
        }
    }
}

void write_build_id(const inspect::Mapping& mapping, void* context) {
    inspect::BuildId id;
    if (find_build_id(mapping, id)) {
        Writer& out = *static_cast<Writer*>(context);
        out.text("# build_id: ").hex(id.mapping).text(" ").text(inspect::BuildIdText{id}.view()).text("\n");
    }
}

struct Totals {
    Sampled live;
    Sampled total;
};

void add_site(const Site& site, const uintptr_t*, void* context) {
    Totals& totals = *static_cast<Totals*>(context);
    totals.live += Sampled{site.live};
    totals.total += Sampled{site.total};
}

void write_classes(Writer& out, const Snapshot& snapshot) {
    for (size_t c = 1; c < snapshot.class_count; ++c) {
        const ClassStats& stats = snapshot.classes[c];
        if (stats.allocations() != 0 || stats.frees != 0) {
            out.text("# class: ").number(stats.object_size).text(" hits=").number(stats.hits);
            out.text(" misses=").number(stats.misses).text(" puts=").number(stats.frees).text("\n");
        }
    }
}

void write_size(size_t size, const size_histogram::Row& row, void* context) {
    Writer& out = *static_cast<Writer*>(context);
    out.text("# size: ").number(size).text(" requests=").number(unsampled(row.requests));
    out.text(" live=").number(unsampled(row.live)).text(",").number(unsampled(row.live_bytes));
    out.text(" peak=").number(unsampled(row.peak)).text(",").number(unsampled(row.peak_bytes));
    out.text(" early=").number(unsampled(row.early)).text("\n");
}

struct Points {
    Writer& out;
    uint64_t last_ns = 0;
};

void write_point(const timeline::Point& point, void* context) {
    Points& points = *static_cast<Points*>(context);
    Writer& out = points.out;
    // The present was determined before the other points were read, so one of them may be later.
    points.last_ns = point.at_ns > points.last_ns ? point.at_ns : points.last_ns;
    out.text("# point: ").number(points.last_ns).text(" live=").number(point.live_bytes);
    out.text(" rss=").number(point.resident_bytes).text(" requests=").number(point.requests);
    out.text(" misses=").number(point.misses).text("\n");
}

void write_header(Writer& out, const ProfileHeader& header, const Snapshot& snapshot) {
    Totals totals;
    profile::for_each_site(add_site, &totals);
    const profile::Statistics statistics = profile::statistics();
    out.text("heap profile: ");
    write_sampled(out, totals.live, totals.total);
    out.text(" heap_v2/").number(sampler::period()).text("\n# hotlane profile 2");
    out.text("\n# program: ").shown(header.program);
    out.text("\n# process: ").signed_number(snapshot.process_id);
    out.text("\n# time_ns: ").number(os::real_time_ns());
    out.text("\n# begin_ns: ").number(header.begin_ns);
    out.text("\n# peak_ns: ").number(profile::peak_ns());
    out.text("\n# duration_ns: ").number(header.duration_ns);
    out.text("\n# reason: ").text(header.reason);
    out.text("\n# sequence: ").number(header.number);
    out.text("\n# series: ").number(header.series);
    out.text("\n# unwind: ").text(header.unwinder == Unwinder::libunwind ? "libunwind" : "fp");
    out.text("\n# samples: ").number(statistics.samples);
    out.text("\n# lost_samples: ").number(statistics.lost_samples).text("\n");
    write_classes(out, snapshot);
    out.text("# size_step: ").number(size_histogram::kStep).text("\n");
    size_histogram::for_each(write_size, &out);
    Points points{out};
    timeline::for_each(write_point, &points);
    write_point(header.now, &points);
}

}  // namespace

bool write_profile(int descriptor, const ProfileHeader& header, const Snapshot& snapshot) {
    Writer out{descriptor};
    write_header(out, header, snapshot);
    profile::for_each_site(write_site, &out);
    write_threads(out);
    inspect::for_each_mapping(write_build_id, &out);
    out.text("\nMAPPED_LIBRARIES:\n");
    return out.flush() && os::copy_file("/proc/self/maps", descriptor);
}

}  // namespace hotlane
