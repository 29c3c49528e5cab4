// SPDX-License-Identifier: MIT
// Server churn with hand-over (the larson family): threads replace random objects of a working set, then end
// and leave the set to a new thread. So most frees are of objects that an ended thread allocated.
#include "common/workload.h"

#include <latch>
#include <memory>
#include <thread>
#include <vector>

namespace {

struct Session {
    std::vector<bench::Block> objects;
    bench::Rng random;
    std::uint64_t rounds_left;
    std::uint64_t replacements;
    std::uint64_t bytes = 0;
    std::latch* all_done;
};

void serve(std::shared_ptr<Session> session) {
    for (std::uint64_t i = 0; i < session->replacements; ++i) {
        bench::Block& victim = session->objects[session->random.below(session->objects.size())];
        victim.replace(session->random.between(8, 1000));
        session->bytes += victim.bytes;
    }
    if (--session->rounds_left > 0) {
        std::thread(serve, session).detach();
    } else {
        session->all_done->count_down();
    }
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "server churn with hand-over between threads (larson family)");
    const auto threads = arguments.number("threads", 2, "threads at work at once");
    const auto objects = arguments.number("objects", 5000, "live objects of a thread");
    const auto rounds = arguments.work("rounds", 500, "threads one after another in each place");
    const auto replacements = arguments.number("replacements", 100000, "objects replaced in a round");
    arguments.finish();

    const bench::Stopwatch watch;
    std::latch all_done(static_cast<std::ptrdiff_t>(threads));
    std::vector<std::shared_ptr<Session>> sessions;
    for (std::uint64_t t = 0; t < threads; ++t) {
        sessions.push_back(std::make_shared<Session>(Session{
            std::vector<bench::Block>(objects), bench::Rng(t + 1), rounds, replacements, 0, &all_done}));
        for (bench::Block& block : sessions.back()->objects) {
            block.replace(sessions.back()->random.between(8, 1000));
        }
    }
    for (const auto& session : sessions) {
        std::thread(serve, session).detach();
    }
    all_done.wait();
    std::uint64_t bytes = 0;
    for (const auto& session : sessions) {
        bytes += session->bytes;
        for (bench::Block& block : session->objects) {
            block.release();
        }
    }
    return bench::report(arguments.program(), threads * rounds * replacements, watch.seconds(), bytes);
}
