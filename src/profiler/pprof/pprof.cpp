// SPDX-License-Identifier: MIT
//
// Encodes the profile while it reads it. Samples come first. Their addresses are numbered on the way. Then the
// mappings are read in the order of addresses, each with the addresses that lie in it.
#include "profiler/pprof/pprof.h"

#include "platform/identity.h"
#include "profiler/pprof/address_table.h"
#include "profiler/sample_registry.h"
#include "profiler/stack/backtrace.h"
#include "profiler/stack/build_ids.h"
#include "profiler/tags/thread_names.h"
#include "text/pprof_format.h"
#include "text/writer.h"

#include <cerrno>
#include <iterator>

namespace hotlane::pprof {

namespace {

using namespace pprof_format;
using sampler::unsampled;

/// The first strings of the table, in the order of kTexts.
enum Text : uint64_t {
    kNone,
    kCount,
    kBytes,
    kSpace,
    kInuseObjects,
    kInuseSpace,
    kAllocObjects,
    kAllocSpace,
    kTemporaryObjects,
    kTemporarySpace,
    kPeakObjects,
    kPeakSpace,
    kDropFrames,
    kThread
};
constexpr std::string_view kTexts[] = {"",
                                       "count",
                                       "bytes",
                                       "space",
                                       "inuse_objects",
                                       "inuse_space",
                                       "alloc_objects",
                                       "alloc_space",
                                       "temporary_objects",
                                       "temporary_space",
                                       "peak_objects",
                                       "peak_space",
                                       kAllocatorFrames,
                                       "thread"};
static_assert(std::size(kTexts) == kThread + 1);

class ProfileWriter {
  public:
    ProfileWriter(Sink sink, void* context) : out_{sink, context} {}

    bool write(uint64_t duration_ns) {
        const int errno_before = errno;
        write_head(duration_ns);
        profile::for_each_site(
            [](const Site& site, const uintptr_t* frames, void* writer) {
                static_cast<ProfileWriter*>(writer)->write_sample(site, frames);
            },
            this);
        write_threads();
        rest_ = addresses_.sort();
        rest_end_ = rest_ + addresses_.count();
        inspect::for_each_mapping(
            [](const inspect::Mapping& mapping, void* writer) {
                static_cast<ProfileWriter*>(writer)->write_mapping(mapping);
            },
            this);
        write_locations_below(UINTPTR_MAX, 0);
        const bool good = out_.flush();
        errno = good ? errno_before : errno;
        return good;
    }

  private:
    using Small = Message<96>;

    static Small value_type(uint64_t type, uint64_t unit) {
        Small message;
        message.number(ValueTypeField::kType, type).number(ValueTypeField::kUnit, unit);
        return message;
    }

    void write_head(uint64_t duration_ns) {
        for (const std::string_view text : kTexts) {
            out_.field(ProfileField::kStringTable, text);
        }
        for (uint64_t type = kInuseObjects; type <= kPeakSpace; type += 2) {
            out_.field(ProfileField::kSampleType, value_type(type, kCount).view());
            out_.field(ProfileField::kSampleType, value_type(type + 1, kBytes).view());
        }
        out_.field(ProfileField::kPeriodType, value_type(kSpace, kBytes).view());
        Small origin;
        origin.number(ProfileField::kDropFrames, kDropFrames)
            .number(ProfileField::kTimeNanos, os::real_time_ns())
            .number(ProfileField::kDurationNanos, duration_ns)
            .number(ProfileField::kPeriod, sampler::period())
            .number(ProfileField::kDefaultSampleType, kInuseSpace);
        out_.fields(origin.view());
    }

    /// Returns the number that the string will have in the table.
    uint64_t add_string(std::string_view text) {
        out_.field(ProfileField::kStringTable, text);
        return string_count_++;
    }

    static Small label(const Small& fields) {
        Small message;
        message.bytes(SampleField::kLabel, fields.view());
        return message;
    }

    /// The size of the objects, or their mean size if the profile does not tell the sizes of a stack apart.
    static Small size_label(const Site& site) {
        const uint64_t mean = site.total.objects == 0 ? 0 : site.total.bytes / site.total.objects;
        Small fields;
        fields.number(LabelField::kKey, kBytes)
            .number(LabelField::kNumber, site.tags.object_size != 0 ? site.tags.object_size : mean)
            .number(LabelField::kUnit, kBytes);
        return label(fields);
    }

    Small thread_label(uint32_t thread) {
        names_threads_ = true;
        Small fields;
        fields.number(LabelField::kKey, kThread).number(LabelField::kText, std::size(kTexts) + thread);
        return label(fields);
    }

    /// Writes the names that thread_label() promised. Some became known while samples were written.
    void write_threads() {
        for (uint32_t number = 0; names_threads_ && number <= thread_names::kOthers; ++number) {
            char name[4 * os::kThreadNameBytes];
            Writer shown{name, sizeof name};
            shown.shown(thread_names::name(number));
            add_string({name, shown.bytes_written()});
        }
    }

    void write_sample(const Site& site, const uintptr_t* frames) {
        constexpr size_t kLongestNumber = 10;
        Message<backtrace::kMostFrames * kLongestNumber> locations;
        for (size_t i = 0; i < site.depth; ++i) {
            const uint64_t number = addresses_.number_of(frames[i] - 1);  // inside of the call
            if (number == 0) {
                out_.fail(ENOMEM);
            }
            locations.varint(number);
        }
        Message<8 * kLongestNumber> values;
        for (const Tally* tally : {&site.live, &site.total, &site.temporary, &site.peak}) {
            values.varint(unsampled(tally->objects));
            values.varint(unsampled(tally->bytes));
        }
        Message<sizeof locations + sizeof values + 2 * sizeof(Small)> sample;
        sample.bytes(SampleField::kLocationId, locations.view()).bytes(SampleField::kValue, values.view());
        sample.fields(size_label(site).view());
        if (site.tags.thread != 0) {
            sample.fields(thread_label(site.tags.thread).view());
        }
        out_.field(ProfileField::kSample, sample.view());
    }

    void write_mapping(const inspect::Mapping& mapping) {
        if (mapping.file != file_ || mapping.offset == 0) {
            inspect::BuildId id;
            file_ = mapping.file;
            build_id_ = find_build_id(mapping, id) ? add_string(inspect::BuildIdText{id}.view()) : kNone;
        }
        write_locations_below(mapping.range.begin, 0);
        const bool is_needed = rest_ != rest_end_ && mapping.range.contains(rest_->address);
        if (is_needed || (mapping.executable && mapping.file != 0)) {
            char name[1024];
            Writer path{name, sizeof name};
            path.shown(mapping.path, sizeof name);
            Small message;
            message.number(MappingField::kId, ++mapping_count_)
                .number(MappingField::kStart, mapping.range.begin)
                .number(MappingField::kLimit, mapping.range.end)
                .number(MappingField::kOffset, mapping.offset)
                .number(MappingField::kFilename, add_string({name, path.bytes_written()}))
                .number(MappingField::kBuildId, build_id_);
            out_.field(ProfileField::kMapping, message.view());
            write_locations_below(mapping.range.end, mapping_count_);
        }
    }

    void write_locations_below(uintptr_t end, uint64_t mapping) {
        for (; rest_ != rest_end_ && rest_->address < end; ++rest_) {
            Small message;
            message.number(LocationField::kId, rest_->number)
                .number(LocationField::kMappingId, mapping)
                .number(LocationField::kAddress, rest_->address);
            out_.field(ProfileField::kLocation, message.view());
        }
    }

    Stream out_;
    AddressTable addresses_;
    const AddressTable::Entry* rest_ = nullptr;  // those not yet written
    const AddressTable::Entry* rest_end_ = nullptr;
    uint64_t string_count_ = std::size(kTexts);
    uint64_t mapping_count_ = 0;
    bool names_threads_ = false;
    uint64_t file_ = 0;  // of the mapping before
    uint64_t build_id_ = kNone;
};

}  // namespace

bool write_profile(Sink sink, void* context, uint64_t duration_ns) {
    return ProfileWriter{sink, context}.write(duration_ns);
}

}  // namespace hotlane::pprof
