// SPDX-License-Identifier: MIT
//
// Tests the reader of frames over real sockets: split at every byte, at random places, with epoll, and every
// way in which a stream can be wrong.
#include "hotlane/hotlane.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <pthread.h>
#include <random>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using hotlane::frame;
using hotlane::frame_format;
using hotlane::frame_header;
using hotlane::frame_reader;
using hotlane::frame_status;

constexpr std::array<hotlane::message_row, 3> kMessages{
    {{"Small", 1, 40, 64}, {"Large", 500, 5000, 8192}, {"Empty", 7, 0, 64}}};
constexpr std::array<hotlane::pool_class, 2> kClasses{{{64, 4, 0}, {8192, 4, 0}}};

constexpr frame_header kPlain{4, 0, 2, 2, 1, 0};  // u16 type, u16 length, big endian
constexpr frame_header kLong{8, 6, 0, 4, 0, 0};   // u32 length, two bytes of padding, u16 type, little endian
constexpr frame_header kCounting{6, 4, 0, 4, 1, 1};  // u32 length of all, u16 type, big endian

/// A pair of connected sockets. The reading end does not block.
struct Sockets {
    int reading = -1;
    int writing = -1;
    explicit Sockets(int flags = SOCK_NONBLOCK) {
        int ends[2];
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | flags, 0, ends), 0);
        reading = ends[0];
        writing = ends[1];
    }
    ~Sockets() {
        close(reading);
        close_writing();
    }
    void close_writing() {
        if (writing >= 0) {
            close(writing);
        }
        writing = -1;
    }
    void send(const std::string& bytes) const {
        ASSERT_EQ(::send(writing, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    }
};

void put_number(std::string& bytes, std::size_t at, std::uint32_t number, unsigned count, bool big_endian) {
    for (unsigned i = 0; i < count; ++i) {
        bytes[at + (big_endian ? count - 1 - i : i)] = static_cast<char>(number >> (8 * i));
    }
}

std::string encode(const frame_header& header, std::uint16_t type, const std::string& value) {
    std::string bytes(header.size, '\xEE');
    put_number(bytes, header.type_offset, type, 2, header.big_endian != 0);
    const std::size_t length = value.size() + (header.length_counts_header != 0 ? header.size : 0);
    put_number(bytes, header.length_offset, static_cast<std::uint32_t>(length), header.length_bytes,
               header.big_endian != 0);
    return bytes + value;
}

std::string value_of(unsigned seed, std::size_t size) {
    std::string value(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
        value[i] = static_cast<char>(seed * 131 + i * 7);
    }
    return value;
}

std::string text(const frame& found) {
    return found.value ? std::string{reinterpret_cast<const char*>(found.value.data()), found.value.size()}
                       : std::string{};
}

hotlane_pool_statistics of(const char* name) { return hotlane::pool_statistics(name); }

struct Stream {
    explicit Stream(const frame_header& header = kPlain, int flags = SOCK_NONBLOCK)
        : format{header, kMessages}, sockets{flags} {}
    frame read() { return reader.read(sockets.reading); }

    hotlane::pool_set set{"frames", kClasses, {.when_exhausted = hotlane::on_exhausted::fail}};
    frame_format format;
    frame_reader reader{format, set};
    Sockets sockets;
};

TEST(FrameReader, AStreamSplitAtEveryByte) {
    for (const frame_header& header : {kPlain, kLong, kCounting}) {
        const std::string first = value_of(1, 40);
        const std::string third = value_of(3, 300);
        const std::string bytes = encode(header, 1, first) + encode(header, 7, "") +
                                  encode(header, 500, third) + encode(header, 1, "");
        for (std::size_t split = 0; split <= bytes.size(); ++split) {
            Stream stream{header};
            std::vector<std::string> values;
            const auto read_all = [&] {
                frame found;
                while ((found = stream.read())) {
                    EXPECT_EQ(found.length, text(found).size());
                    EXPECT_EQ(found.message->type_id, found.type);
                    values.push_back(text(found));
                }
                return found.status;
            };
            stream.sockets.send(bytes.substr(0, split));
            ASSERT_EQ(read_all(), frame_status::need_more);
            stream.sockets.send(bytes.substr(split));
            ASSERT_EQ(read_all(), frame_status::need_more);
            stream.sockets.close_writing();
            ASSERT_EQ(read_all(), frame_status::end);
            ASSERT_EQ(read_all(), frame_status::end) << "stays";
            ASSERT_EQ(values, (std::vector<std::string>{first, "", third, ""})) << split;
        }
    }
    EXPECT_EQ(of("frames/64").in_use + of("frames/8192").in_use, 0U);
}

TEST(FrameReader, AStreamCutShortIsTruncated) {
    const std::string bytes = encode(kPlain, 1, value_of(1, 10));
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        Stream stream;
        stream.sockets.send(bytes.substr(0, cut));
        EXPECT_EQ(stream.read().status, frame_status::need_more);
        stream.sockets.close_writing();
        EXPECT_EQ(stream.read().status, frame_status::truncated) << cut;
        EXPECT_EQ(stream.read().status, frame_status::truncated) << "stays";
    }
    EXPECT_EQ(of("frames/64").in_use, 0U);
}

TEST(FrameReader, TypeAndLengthAreCheckedBeforeABufferIsTaken) {
    Stream stream{kLong};
    const std::uint64_t gets = of("frames/64").gets + of("frames/8192").gets;
    for (const std::uint16_t type : std::initializer_list<std::uint16_t>{0, 2, 501, 65535}) {
        stream.sockets.send(encode(kLong, type, value_of(1, 5000)));
        frame found = stream.read();
        EXPECT_EQ(found.status, frame_status::unknown_type);
        EXPECT_EQ(found.type, type);
        EXPECT_EQ(found.length, 5000U);
        EXPECT_EQ(stream.read().status, frame_status::unknown_type) << "stays";
        EXPECT_TRUE(stream.reader.skip());
        EXPECT_EQ(stream.read().status, frame_status::need_more);
    }
    stream.sockets.send(encode(kLong, 1, value_of(1, 41)));
    EXPECT_EQ(stream.read().status, frame_status::too_long);
    EXPECT_TRUE(stream.reader.skip());
    EXPECT_FALSE(stream.reader.skip()) << "one is being skipped";
    EXPECT_EQ(of("frames/64").gets + of("frames/8192").gets, gets);
    stream.sockets.send(encode(kLong, 1, value_of(2, 40)));
    EXPECT_EQ(text(stream.read()), value_of(2, 40));
}

TEST(FrameReader, ALengthBelowTheHeaderItCountsIsNotSkipped) {
    Stream stream{kCounting};
    std::string bytes = encode(kCounting, 1, "");
    put_number(bytes, kCounting.length_offset, 5, 4, true);
    stream.sockets.send(bytes);
    EXPECT_EQ(stream.read().status, frame_status::too_long);
    EXPECT_FALSE(stream.reader.skip());
    EXPECT_EQ(stream.read().status, frame_status::too_long);
}

TEST(FrameReader, AnExhaustedReaderGoesOnWhenABufferIsBack) {
    Stream stream;
    std::vector<frame> held;
    for (unsigned i = 0; i < 9; ++i) {
        stream.sockets.send(encode(kPlain, 1, value_of(i, 40)));
    }
    frame found;
    while ((found = stream.read())) {
        held.push_back(std::move(found));
    }
    EXPECT_EQ(found.status, frame_status::exhausted);
    EXPECT_EQ(held.size(), 8U) << "the larger class helps out";
    EXPECT_EQ(stream.read().status, frame_status::exhausted);
    for (unsigned i = 0; i < held.size(); ++i) {
        EXPECT_EQ(text(held[i]), value_of(i, 40));
    }
    held.erase(held.begin());
    EXPECT_EQ(text(stream.read()), value_of(8, 40));
    EXPECT_EQ(stream.read().status, frame_status::need_more);
}

TEST(FrameReader, ABufferOfAnUnfinishedFrameComesBack) {
    Stream stream;
    {
        frame_reader reader{stream.format, stream.set};
        stream.sockets.send(encode(kPlain, 1, value_of(1, 40)).substr(0, 20));
        EXPECT_EQ(reader.read(stream.sockets.reading).status, frame_status::need_more);
        EXPECT_EQ(of("frames/64").in_use, 1U);
    }
    EXPECT_EQ(of("frames/64").in_use, 0U);
}

TEST(FrameReader, ErrorsOfTheDescriptorAreReported) {
    Stream stream;
    const frame found = stream.reader.read(-1);
    EXPECT_EQ(found.status, frame_status::error);
    EXPECT_EQ(found.error, EBADF);
    stream.sockets.send(encode(kPlain, 1, "after"));
    EXPECT_EQ(text(stream.read()), "after");
}

void ignore(int /*number*/) {}

TEST(FrameReader, ASignalDoesNotEndARead) {
    struct sigaction action {};
    action.sa_handler = ignore;  // without SA_RESTART
    ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
    Stream stream{kPlain, 0};
    std::atomic<bool> done{false};
    std::thread other([&, reader = pthread_self()] {
        for (const char byte : encode(kPlain, 1, value_of(1, 30))) {
            for (int i = 0; i < 3; ++i) {
                pthread_kill(reader, SIGUSR1);
                std::this_thread::yield();
            }
            stream.sockets.send({byte});
        }
        while (!done) {
            std::this_thread::yield();
        }
    });
    EXPECT_EQ(text(stream.read()), value_of(1, 30));
    done = true;
    other.join();
}

/// Two connections with one set, each sent in random pieces, read when epoll says so.
TEST(FrameReader, ManyFramesInRandomPiecesWithEpoll) {
    constexpr unsigned kFrames = 3000;
    Stream streams[2];
    frame_reader second{streams[0].format, streams[0].set};
    frame_reader* const readers[2] = {&streams[0].reader, &second};
    const auto value = [](unsigned i) { return value_of(i, i % 5 == 0 ? i * 37 % 5000 : i % 41); };
    std::vector<std::thread> senders;
    for (Stream& stream : streams) {
        senders.emplace_back([&stream, &value, seed = static_cast<unsigned>(&stream - streams)] {
            std::mt19937 random{seed};
            std::string bytes;
            for (unsigned i = 0; i < kFrames; ++i) {
                bytes += encode(kPlain, i % 5 == 0 ? 500 : 1, value(i));
            }
            for (std::size_t at = 0; at < bytes.size();) {
                const std::size_t piece = std::min<std::size_t>(bytes.size() - at, 1 + random() % 6000);
                const ssize_t sent = send(stream.sockets.writing, bytes.data() + at, piece, 0);
                at += sent > 0 ? static_cast<std::size_t>(sent) : 0;
                if (sent < 0) {
                    std::this_thread::yield();
                }
            }
            shutdown(stream.sockets.writing, SHUT_WR);
        });
    }
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (std::uint32_t i = 0; i < 2; ++i) {
        epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u32 = i}};
        ASSERT_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, streams[i].sockets.reading, &event), 0);
    }
    unsigned received[2] = {0, 0};
    for (int open = 2; open != 0;) {
        epoll_event event{};
        ASSERT_EQ(epoll_wait(epoll, &event, 1, 30'000), 1);
        const std::uint32_t i = event.data.u32;
        for (;;) {
            const frame found = readers[i]->read(streams[i].sockets.reading);
            if (!found) {
                ASSERT_TRUE(found.status == frame_status::need_more || found.status == frame_status::end);
                if (found.status == frame_status::end) {
                    --open;
                    epoll_ctl(epoll, EPOLL_CTL_DEL, streams[i].sockets.reading, nullptr);
                }
                break;
            }
            ASSERT_EQ(text(found), value(received[i]));
            ++received[i];
        }
    }
    close(epoll);
    for (std::thread& sender : senders) {
        sender.join();
    }
    EXPECT_EQ(received[0], kFrames);
    EXPECT_EQ(received[1], kFrames);
    EXPECT_EQ(of("frames/64").in_use + of("frames/8192").in_use, 0U);
}

TEST(FrameFormat, ImpossibleFormatsAreRefused) {
    const auto fails = [](const frame_header& header, std::vector<hotlane::message_row> rows) {
        errno = 0;
        EXPECT_EQ(hotlane_frame_format_create(&header, rows.data(), rows.size()), nullptr);
        EXPECT_EQ(errno, EINVAL);
    };
    const std::vector<hotlane::message_row> rows{{"A", 1, 10, 64}};
    fails({0, 0, 0, 2, 0, 0}, rows);
    fails({33, 0, 2, 2, 0, 0}, rows);
    fails({4, 0, 2, 3, 0, 0}, rows);
    fails({4, 3, 0, 2, 0, 0}, rows);
    fails({4, 0, 2, 4, 0, 0}, rows);
    fails(kPlain, {{"A", 1, 10, 64}, {"B", 1, 10, 64}});
    fails(kPlain, {{"A", 1, 100, 64}});
}

}  // namespace
