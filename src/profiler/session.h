// SPDX-License-Identifier: MIT
//
// Profiling sessions: when they start and stop, and when a profile is written to which file.
#pragma once

#include "profiler/pprof/protobuf.h"

namespace hotlane::profiling {

/// Applies the options: starts a session now, or prepares the signal that does. Called once, when the process
/// starts, if the options ask for either.
void set_up();

/// Starts a session with one sample in `sample_bytes`; 0 means HOTLANE_SAMPLE_INTERVAL. Returns false if
/// there is no memory.
bool start(size_t sample_bytes);
void stop();
/// Writes the profile to `path`; null means the file that HOTLANE_PROFILE names, or hotlane.%p.%n.heap.
/// Returns false if that failed, after one line on stderr, or if there is no profile, without a line.
bool dump(const char* path);

/// Writes the profile to a descriptor, which stays open. Returns false if that failed, with errno set: ENODATA if there
/// is no profile, EBUSY if another thread is writing one.
bool dump_to_descriptor(int fd);
/// Passes the profile to `sink` as pprof's profile.proto, without symbols. The sink is called without a lock. Returns
/// false, with errno set, if that failed: ENODATA if there is no profile.
bool write_pprof(pprof::Sink sink, void* context);
/// The same to a descriptor, which stays open.
bool write_pprof_to_descriptor(int fd);

/// Writes the profile at exit, if HOTLANE_PROFILE or a signal started a session.
void at_exit();
/// Does what is due at this time: answers the signal, and writes the profile of the interval.
void poll(uint64_t now_ns);
/// Whether tick() has anything to do in this process.
bool wants_polls();

/// In a forked child: numbers its profiles from 0 again, and separates them from the parent's.
void forget_in_child();

}  // namespace hotlane::profiling
