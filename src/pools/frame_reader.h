// SPDX-License-Identifier: MIT
//
// Frames of type, length and value: the functions of hotlane/frame_reader.h.
#pragma once

#include "hotlane/frame_reader.h"

#include "base/base.h"

namespace hotlane::frames {

hotlane_frame_format* create_format(const hotlane_frame_header& header, const hotlane_message* messages,
                                    size_t count);
void destroy_format(hotlane_frame_format* format);

void begin(hotlane_frame_reader& reader, const hotlane_frame_format* format, hotlane_pool_set* set);
void end(hotlane_frame_reader& reader);
hotlane_frame_status read(hotlane_frame_reader& reader, int fd, hotlane_frame& out);
bool skip(hotlane_frame_reader& reader);

}  // namespace hotlane::frames
