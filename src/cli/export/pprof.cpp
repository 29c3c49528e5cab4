// SPDX-License-Identifier: MIT
//
// Encodes a profile as the messages of pprof's profile.proto, and compresses them.
#include "cli/export/pprof.h"

#include "cli/export/protobuf.h"
#include "cli/profile/profile.h"
#include "text/pprof_format.h"

#include <map>
#include <stdexcept>
#include <zlib.h>

namespace hotlane::cli {

namespace {

using namespace pprof_format;

class PprofWriter {
  public:
    explicit PprofWriter(const Profile& profile) : profile_{profile} { string(""); }

    std::string write() {
        write_types();
        for (const Profile::Stack& stack : profile_.stacks()) {
            write_sample(stack);
        }
        write_mappings();
        write_functions();
        write_origin();
        for (const auto& text : strings_) {
            message_.text(ProfileField::kStringTable, text);
        }
        return message_.bytes();
    }

  private:
    int64_t string(const std::string& text) {
        const auto [place, added] = string_index_.try_emplace(text, static_cast<int64_t>(strings_.size()));
        if (added) {
            strings_.push_back(text);
        }
        return place->second;
    }

    ProtobufMessage value_type(const char* type, const char* unit) {
        ProtobufMessage message;
        message.number(ValueTypeField::kType, string(type));
        message.number(ValueTypeField::kUnit, string(unit));
        return message;
    }

    void write_types() {
        message_.message(ProfileField::kSampleType, value_type("inuse_objects", "count"));
        message_.message(ProfileField::kSampleType, value_type("inuse_space", "bytes"));
        message_.message(ProfileField::kSampleType, value_type("alloc_objects", "count"));
        message_.message(ProfileField::kSampleType, value_type("alloc_space", "bytes"));
        message_.message(ProfileField::kSampleType, value_type("temporary_objects", "count"));
        message_.message(ProfileField::kSampleType, value_type("temporary_space", "bytes"));
        if (profile_.origin.has_peak) {
            message_.message(ProfileField::kSampleType, value_type("peak_objects", "count"));
            message_.message(ProfileField::kSampleType, value_type("peak_space", "bytes"));
        }
    }

    void write_sample(const Profile::Stack& stack) {
        std::vector<int64_t> locations;
        std::vector<uint32_t> inlined;  // frames inlined into each other, the outermost last
        for (const uint32_t frame : stack.frames) {
            inlined.push_back(frame);
            if (!profile_.frames()[frame].inlined) {
                locations.push_back(location(inlined));
                inlined.clear();
            }
        }
        AllocationTotals rest = stack.totals;
        for (const auto& [tags, totals] : stack.by_tags) {
            write_sample(locations, totals, tags);
            rest += -totals;
        }
        if (stack.by_tags.empty() || !rest.is_zero()) {
            write_sample(locations, rest, {mean_size(rest), ""});
        }
    }

    /// pprof gives samples of other heap profiles this size, too.
    static int64_t mean_size(const AllocationTotals& totals) {
        for (const AllocationTotals::Amount* amount : {&totals.cumulative, &totals.live}) {
            if (amount->objects > 0 && amount->bytes > 0) {
                return amount->bytes / amount->objects;
            }
        }
        return 0;
    }

    void write_sample(const std::vector<int64_t>& locations, const AllocationTotals& totals,
                      const Profile::Tags& tags) {
        ProtobufMessage sample;
        sample.packed(SampleField::kLocationId, locations);
        std::vector<int64_t> values{totals.live.objects,       totals.live.bytes,
                                    totals.cumulative.objects, totals.cumulative.bytes,
                                    totals.temporary.objects,  totals.temporary.bytes};
        if (profile_.origin.has_peak) {
            values.insert(values.end(), {totals.peak.objects, totals.peak.bytes});
        }
        sample.packed(SampleField::kValue, values);
        if (tags.object_size != 0) {
            ProtobufMessage label;
            label.number(LabelField::kKey, string("bytes"));
            label.number(LabelField::kNumber, tags.object_size);
            label.number(LabelField::kUnit, string("bytes"));
            sample.message(SampleField::kLabel, label);
        }
        if (!tags.thread.empty()) {
            ProtobufMessage label;
            label.number(LabelField::kKey, string("thread"));
            label.number(LabelField::kText, string(tags.thread));
            sample.message(SampleField::kLabel, label);
        }
        message_.message(ProfileField::kSample, sample);
    }

    /// Returns the id of the location, which is written when it first occurs.
    int64_t location(const std::vector<uint32_t>& frames) {
        const auto [place, added] =
            locations_.try_emplace(frames, static_cast<int64_t>(locations_.size() + 1));
        if (added) {
            const Profile::Frame& outer = profile_.frames()[frames.back()];
            ProtobufMessage message;
            message.number(LocationField::kId, place->second);
            // Library 0 and mapping 0 both mean that there is none.
            const uint32_t library = profile_.functions()[outer.function].library;
            message.number(LocationField::kMappingId, library);
            message.number(LocationField::kAddress,
                           static_cast<int64_t>(outer.address + profile_.libraries()[library].bias));
            for (const uint32_t frame : frames) {
                ProtobufMessage line;
                line.number(LineField::kFunctionId, profile_.frames()[frame].function + 1);
                line.number(LineField::kLine, profile_.frames()[frame].line);
                message.message(LocationField::kLine, line);
            }
            message_.message(ProfileField::kLocation, message);
        }
        return place->second;
    }

    void write_mappings() {
        for (size_t id = 1; id < profile_.libraries().size(); ++id) {
            const Profile::Library& library = profile_.libraries()[id];
            ProtobufMessage message;
            message.number(MappingField::kId, static_cast<int64_t>(id));
            message.number(MappingField::kStart, static_cast<int64_t>(library.start));
            message.number(MappingField::kLimit, static_cast<int64_t>(library.end));
            message.number(MappingField::kFilename, string(library.path));
            message.number(MappingField::kBuildId, string(library.build_id));
            // The profile contains all known symbols; a reader does not have to look for more.
            message.number(MappingField::kHasFunctions, 1);
            message.number(MappingField::kHasFilenames, 1);
            message.number(MappingField::kHasLineNumbers, 1);
            message.number(MappingField::kHasInlineFrames, 1);
            message_.message(ProfileField::kMapping, message);
        }
    }

    void write_functions() {
        for (size_t i = 0; i < profile_.functions().size(); ++i) {
            const Profile::Function& function = profile_.functions()[i];
            ProtobufMessage message;
            message.number(FunctionField::kId, static_cast<int64_t>(i + 1));
            message.number(FunctionField::kName, string(function.name));
            message.number(FunctionField::kSystemName, string(function.name));
            message.number(FunctionField::kFilename, string(function.file));
            message_.message(ProfileField::kFunction, message);
        }
    }

    void write_origin() {
        const ProfileOrigin& origin = profile_.origin;
        message_.number(ProfileField::kDropFrames, string(kAllocatorFrames));
        message_.number(ProfileField::kTimeNanos, origin.time_ns);
        message_.number(ProfileField::kDurationNanos, origin.duration_ns);
        message_.message(ProfileField::kPeriodType, value_type("space", "bytes"));
        message_.number(ProfileField::kPeriod, origin.period);
        const bool shows_peak = origin.has_peak && origin.reason == "exit";
        message_.number(ProfileField::kDefaultSampleType, string(shows_peak ? "peak_space" : "inuse_space"));
    }

    const Profile& profile_;
    ProtobufMessage message_;
    std::vector<std::string> strings_;
    std::map<std::string, int64_t> string_index_;
    std::map<std::vector<uint32_t>, int64_t> locations_;
};

std::string gzipped(const std::string& text) {
    constexpr int kGzip = 16 + MAX_WBITS;
    constexpr int kMemoryLevel = 8;
    z_stream stream{};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        throw std::runtime_error{"cannot compress"};
    }
    std::string result(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    stream.avail_out = static_cast<uInt>(result.size());
    const bool whole = text.size() == stream.avail_in && deflate(&stream, Z_FINISH) == Z_STREAM_END;
    result.resize(stream.total_out);
    deflateEnd(&stream);
    if (!whole) {
        throw std::runtime_error{"cannot compress a profile of more than 4 GiB"};
    }
    return result;
}

}  // namespace

std::string export_pprof(const Profile& profile) { return gzipped(PprofWriter{profile}.write()); }

}  // namespace hotlane::cli
