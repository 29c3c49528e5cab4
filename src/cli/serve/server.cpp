// SPDX-License-Identifier: MIT
//
// Answers requests over HTTP: metrics of all processes, and profiles of one. Nothing in a URL names a file.
#include "cli/serve/server.h"

#include "cli/serve/connections.h"
#include "cli/serve/metrics_page.h"
#include "cli/serve/profiles.h"
#include "text/writer.h"

#include <algorithm>
#include <atomic>
#include <charconv>

namespace hotlane::cli {

namespace {

/// An answer that is not 200: its status and one line.
struct Refusal {
    int status;
    std::string why;
};

constexpr int kBadRequest = 400;
constexpr int kForbidden = 403;
constexpr int kNotFoundStatus = 404;
constexpr int kBusy = 503;

int64_t number_in(const std::string& text, int64_t least, int64_t most, const char* name) {
    int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end || number < least || number > most) {
        throw Refusal{kBadRequest, std::string{name} + " must be a number from " + std::to_string(least) +
                                       " to " + std::to_string(most)};
    }
    return number;
}

int64_t process_of(const httplib::Request& request) {
    return number_in(request.get_param_value("pid"), 1, INT32_MAX, "pid");
}

std::string escaped(std::string_view text) {
    std::string html;
    for (const char c : text) {
        html += c == '<'   ? "&lt;"
                : c == '>' ? "&gt;"
                : c == '&' ? "&amp;"
                : c == '"' ? "&quot;"
                           : std::string{c};
    }
    return html;
}

/// Bounds how many profiles are made at once; each may take a second of processor time, and some memory.
class ProfileSlot {
  public:
    ProfileSlot() {
        constexpr int kMost = 4;
        if (taken.fetch_add(1) >= kMost) {
            taken.fetch_sub(1);
            throw Refusal{kBusy, "four profiles are being made; try again later"};
        }
    }
    ~ProfileSlot() { taken.fetch_sub(1); }
    ProfileSlot(const ProfileSlot&) = delete;
    ProfileSlot& operator=(const ProfileSlot&) = delete;

  private:
    static inline std::atomic<int> taken{0};
};

class Server {
  public:
    explicit Server(const ServeOptions& options) : options_{options} {
        for (const std::string& directory : options.directories) {
            say_what_is_wrong(directory);
        }
        set_limits();
        add("/metrics", [this](const auto& request, auto& response) { answer_metrics(request, response); });
        add("/", [this](const auto& /*request*/, auto& response) {
            response.set_content(index(), "text/html; charset=utf-8");
        });
        if (!options.metrics_only) {
            add_profiles();
        }
    }

    void run() {
        const int port = options_.port != 0 && server_.bind_to_port(options_.address, options_.port)
                             ? options_.port
                         : options_.port == 0 ? server_.bind_to_any_port(options_.address)
                                              : -1;
        if (port < 0) {
            throw LiveError{"cannot listen on " + options_.address + " port " +
                            std::to_string(options_.port) + ": " + strerror(errno)};
        }
        watchdog_.emplace(port);
        message("serve: http://", options_.address, ":", std::to_string(port), "/");
        server_.listen_after_bind();
    }

  private:
    using Handler = std::function<void(const httplib::Request&, httplib::Response&)>;

    /// A directory that does not exist may be created later; another mistake would stay.
    static void say_what_is_wrong(const std::string& directory) {
        try {
            const LiveDirectory live{directory};
        } catch (const LiveError& error) {
            if (!directory.starts_with('/')) {
                throw;
            }
            message("serve: ", error.what());
        }
    }

    void set_limits() {
        constexpr int kTimeoutSeconds = 5;
        server_.new_task_queue = [] { return new BoundedPool; };
        server_.set_read_timeout(kTimeoutSeconds);
        server_.set_write_timeout(kTimeoutSeconds);
        server_.set_keep_alive_max_count(1);  // a connection for each request: nobody keeps a thread
        server_.set_payload_max_length(0);
        server_.set_tcp_nodelay(true);
        // The library would let two servers share a port.
        server_.set_socket_options([](socket_t listening) {
            const int on = 1;
            setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        });
    }

    /// The handler may throw.
    void add(const char* path, const Handler& handler) {
        server_.Get(path, [this, handler](const httplib::Request& request, httplib::Response& response) {
            try {
                watchdog_->is_served(request.remote_port);
                check_host(request);
                handler(request, response);
            } catch (const Refusal& refusal) {
                refuse(response, refusal);
            } catch (const LiveError& error) {
                refuse(response, {kNotFoundStatus, error.what()});
            } catch (const std::exception& error) {
                refuse(response, {kBusy, error.what()});
            }
        });
    }

    static void refuse(httplib::Response& response, const Refusal& refusal) {
        response.status = refusal.status;
        response.set_content(refusal.why + "\n", "text/plain; charset=utf-8");
    }

    /// A page of another site must not reach a server on the loopback interface through a name of its own.
    void check_host(const httplib::Request& request) const {
        const bool loopback =
            options_.address == "127.0.0.1" || options_.address == "::1" || options_.address == "localhost";
        std::string host = request.get_header_value("Host");
        host = host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
        if (loopback && host != "127.0.0.1" && host != "localhost" && host != "[::1]" && !host.empty()) {
            throw Refusal{kForbidden, "this server answers to localhost only"};
        }
    }

    void add_profiles() {
        constexpr const char* kPprof = "application/octet-stream";
        add("/debug/pprof/heap", [this](const auto& request, auto& response) {
            const ProfileSlot slot;
            const int64_t process = process_of(request);
            response.set_content(heap_profile(*directory_of(process), process), kPprof);
        });
        add("/debug/pprof/allocs", [this](const auto& request, auto& response) {
            constexpr int64_t kMostSeconds = 300;
            const ProfileSlot slot;
            const int64_t process = process_of(request);
            const int64_t seconds =
                request.has_param("seconds")
                    ? number_in(request.get_param_value("seconds"), 1, kMostSeconds, "seconds")
                    : 10;
            response.set_content(
                allocations_profile(*directory_of(process), process, std::chrono::seconds{seconds}), kPprof);
        });
        add(R"(/profile/([0-9]{1,10}))", [this](const auto& request, auto& response) {
            const ProfileSlot slot;
            const int64_t process = number_in(request.matches[1], 1, INT32_MAX, "pid");
            std::optional<int64_t> base;
            if (request.has_param("base")) {
                base = number_in(request.get_param_value("base"), 0, INT32_MAX, "base");
            }
            response.set_content(profile_page(*directory_of(process), process, kept_, base),
                                 "text/html; charset=utf-8");
        });
    }

    /// Opens the directories for one request: systemd removes that of a service when the service stops, and creates
    /// another one later. Those that cannot be opened are left out.
    std::vector<std::unique_ptr<LiveDirectory>> open_directories() const {
        std::vector<std::unique_ptr<LiveDirectory>> all;
        for (const std::string& directory : options_.directories) {
            try {
                all.push_back(std::make_unique<LiveDirectory>(directory));
            } catch (const LiveError&) {  // the service does not run
            }
        }
        return all;
    }

    /// Returns the directory in which the process publishes.
    std::unique_ptr<LiveDirectory> directory_of(int64_t process) const {
        std::string why = "no directory can be opened";
        for (auto& live : open_directories()) {
            try {
                (void)live->read(process);
                return std::move(live);
            } catch (const LiveError& error) {
                why = error.what();
            }
        }
        throw LiveError{why};
    }

    std::vector<Published> all_processes() const {
        std::vector<Published> all;
        for (const auto& live : open_directories()) {
            for (Published& process : live->read_all()) {
                all.push_back(std::move(process));
            }
        }
        return all;
    }

    void answer_metrics(const httplib::Request& request, httplib::Response& response) const {
        const bool open =
            request.get_header_value("Accept").find("application/openmetrics-text") != std::string::npos;
        const MetricsFormat format = open ? MetricsFormat::openmetrics : MetricsFormat::prometheus;
        auto page = std::make_shared<MetricsPage>(all_processes(), format);
        response.set_chunked_content_provider(MetricsPage::content_type(format),
                                              [page](size_t /*offset*/, httplib::DataSink& sink) {
                                                  const std::string part = page->next();
                                                  if (part.empty()) {
                                                      sink.done();
                                                      return true;
                                                  }
                                                  return sink.write(part.data(), part.size());
                                              });
    }

    std::string index() const {
        std::string html =
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>hotlane</title>"
            "<style>body{font:16px sans-serif;margin:2em}td,th{padding:.2em 1em .2em "
            "0;text-align:left}</style>"
            "<h1>hotlane</h1><p><a href=\"metrics\">metrics</a></p><table><tr><th>process<th>program";
        for (const Published& process : all_processes()) {
            const std::string id = std::to_string(process.process);
            html.append("<tr><td>").append(id).append("<td>").append(escaped(process.snapshot().program));
            if (!options_.metrics_only) {
                html.append("<td><a href=\"profile/").append(id);
                html.append("\">profile</a><td><a href=\"debug/pprof/heap?pid=").append(id);
                html.append("\">heap (pprof)</a><td><a href=\"debug/pprof/allocs?pid=").append(id);
                html.append("&amp;seconds=10\">allocations of 10 s (pprof)</a>");
            }
        }
        return html + "</table></html>\n";
    }

    const ServeOptions options_;
    httplib::Server server_;
    std::optional<Watchdog> watchdog_;
    KeptDumps kept_;
};

}  // namespace

void serve(const ServeOptions& options) { Server{options}.run(); }

}  // namespace hotlane::cli
