// SPDX-License-Identifier: MIT
//
// Translates protobuf's descriptors of messages into those of a contract.
#pragma once

#include "cli/pools/contract/contract.h"

#include <google/protobuf/descriptor.h>

#include <functional>
#include <set>

namespace hotlane::cli {

class DescriptorReader {
  public:
    /// `place` returns a place in the file of that name; line and column count from 0, and are -1 when they are
    /// not known.
    using PlaceOf = std::function<Place(const std::string& file, int line, int column)>;

    DescriptorReader(Contract& contract, PlaceOf place) : contract_{contract}, place_{std::move(place)} {}

    /// Adds the messages of the file, and then those of the files that it imports.
    void add(const google::protobuf::FileDescriptor& file);

  private:
    void add_message(const google::protobuf::Descriptor& descriptor);
    void add_field(Message& message, const google::protobuf::FieldDescriptor& descriptor,
                   std::vector<Message>& entries);
    template <typename Described>
    Place place_of(const Described& descriptor) const;

    Contract& contract_;
    PlaceOf place_;
    std::set<const google::protobuf::FileDescriptor*> added_;
};

}  // namespace hotlane::cli
