// SPDX-License-Identifier: MIT
//
// Draws `hotlane top` with ncurses and answers its keys.
#include "cli/live/top_screen.h"
#include "cli/live/attached_profile.h"
#include "cli/live/top_view.h"
#include "cli/text/quantity.h"
#include "cli/text/text_file.h"

#include <algorithm>
#include <clocale>
#include <curses.h>
#include <unistd.h>

namespace hotlane::cli {

namespace {

/// The terminal while the screen is shown.
class Terminal {
  public:
    Terminal() {
        setlocale(LC_ALL, "");
        if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1) {
            throw LiveError{"needs a terminal; use hotlane ps"};
        }
        screen_ = newterm(nullptr, stdout, stdin);
        if (screen_ == nullptr) {
            throw LiveError{"the terminal of TERM is not known; use hotlane ps"};
        }
        cbreak();
        noecho();
        curs_set(0);
        keypad(stdscr, true);
    }
    ~Terminal() {
        endwin();
        delscreen(screen_);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

  private:
    SCREEN* screen_ = nullptr;
};

class Top {
  public:
    Top(const LiveDirectory& live, int64_t process)
        : live_{live}, watch_{live}, sites_{live}, process_{process} {}

    void run() {
        constexpr int kRefreshMs = 1000;
        timeout(kRefreshMs);
        for (int key = ERR; !done_; key = getch()) {
            answer(key);
            if (!done_ && (key == ERR || key == KEY_RESIZE || redraw_)) {
                watch_.look();
                draw();
            }
        }
    }

  private:
    void draw() {
        redraw_ = false;
        erase();
        const Watched* shown = watch_.find(process_);
        if (process_ != 0 && shown == nullptr) {
            status_ = "process " + std::to_string(process_) + " has ended";
        }
        shown != nullptr ? draw_process(*shown) : draw_list();
        const int last = LINES - 1;
        attron(A_REVERSE);
        mvprintw(last, 0, "%-*.*s", COLS, COLS,
                 shown != nullptr ? " p profile   d dump   u purge   Left list   q quit"
                                  : " Up, Down select   Enter show   q quit");
        attroff(A_REVERSE);
        if (!status_.empty()) {
            line(last - 1, status_);
        }
        refresh();
    }

    /// Bars of a sparkline have three bytes each, so the line is cut by characters.
    static void line(int row, const std::string& text) {
        size_t bytes = 0;
        for (int columns = 0; bytes < text.size(); ++bytes) {
            const bool begins_character = (static_cast<unsigned char>(text[bytes]) & 0xc0U) != 0x80;
            if (begins_character && ++columns > COLS) {
                break;
            }
        }
        if (row >= 0 && row < LINES) {
            mvaddnstr(row, 0, text.c_str(), static_cast<int>(bytes));
        }
    }

    void draw_list() {
        const auto& all = watch_.processes();
        selected_ = std::clamp(selected_, 0, std::max(static_cast<int>(all.size()) - 1, 0));
        attron(A_BOLD);
        line(0, table_heading());
        attroff(A_BOLD);
        const int rows = LINES - 3;
        const int first = std::max(0, selected_ - rows + 1);
        for (int i = first; i < static_cast<int>(all.size()) && i < first + rows; ++i) {
            const Watched& process = *all[static_cast<size_t>(i)];
            attr_t look = i == selected_ ? A_REVERSE : A_NORMAL;
            attron(look);
            line(1 + i - first, table_row(process.now, process.rates()));
            attroff(look);
        }
        if (all.empty()) {
            line(1, "no process publishes its counters in " + live_.path());
        }
    }

    void draw_process(const Watched& process) {
        constexpr size_t kFixedLines = 12;
        constexpr int kHeadingRow = 6;
        const bool profiled = process.now.counters->profile_period != 0;
        const size_t height = static_cast<size_t>(std::max(LINES, 0));
        const size_t room = height > kFixedLines ? height - kFixedLines : 0;
        int row = 0;
        for (const std::string& text : process_lines(process, profiled ? std::min<size_t>(room, 8) : room)) {
            attr_t look = row == 0 || row == kHeadingRow ? A_BOLD : A_NORMAL;
            attron(look);
            line(row++, text);
            attroff(look);
        }
        if (profiled) {
            attron(A_BOLD);
            line(++row, "Sites");
            attroff(A_BOLD);
            for (const std::string& text : sites_.look(process_, static_cast<size_t>(std::max(COLS, 1)))) {
                if (++row < LINES - 2) {
                    line(row, text);
                }
            }
        }
    }

    void answer(int key) {
        redraw_ = key != ERR;
        if (key != ERR && key != KEY_RESIZE) {
            status_.clear();
        }
        const bool in_list = watch_.find(process_) == nullptr;
        switch (key) {
        case 'q':
        case 'Q':
            done_ = true;
            return;
        case KEY_UP:
            --selected_;
            return;
        case KEY_DOWN:
            ++selected_;
            return;
        case '\n':
        case KEY_ENTER:
        case KEY_RIGHT:
            if (in_list && !watch_.processes().empty()) {
                process_ = watch_.processes()[static_cast<size_t>(selected_)]->now.process;
                sites_.forget();
            }
            return;
        case KEY_LEFT:
        case KEY_BACKSPACE:
            process_ = 0;
            return;
        case 'p':
        case 'd':
        case 'u':
            if (!in_list) {
                request(key);
            }
            return;
        default:
            return;
        }
    }

    /// Makes the request of a key. Its result becomes the line above the last.
    void request(int key) {
        try {
            const Watched& process = *watch_.find(process_);
            if (key == 'u') {
                const uint64_t bytes = live_.ask(process_, live::Request::purge);
                status_ = size_text(static_cast<int64_t>(bytes)) + " went back to the system";
            } else if (key == 'd') {
                const std::string name = free_dump_name(process.now);
                write_file(name, live_.dump(process_));
                status_ = "wrote " + name;
            } else {
                const bool runs = process.now.counters->profile_period != 0;
                live_.ask(process_, runs ? live::Request::stop_profile : live::Request::start_profile);
                status_ = runs ? "the profile is stopped" : "the profile is started";
            }
        } catch (const std::exception& error) {
            status_ = error.what();
        }
    }

    const LiveDirectory& live_;
    Watch watch_;
    TopSites sites_;
    int64_t process_;
    bool done_ = false;
    bool redraw_ = false;
    int selected_ = 0;
    std::string status_;
};

}  // namespace

void show_top(const LiveDirectory& live, int64_t process) {
    if (process != 0) {
        (void)live.read(process);  // throws if there is none
    }
    const Terminal terminal;
    Top{live, process}.run();
}

}  // namespace hotlane::cli
