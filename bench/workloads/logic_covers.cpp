// SPDX-License-Identifier: MIT
// Logic minimisation (the espresso family): the complement of a Boolean function by recursive splitting.
// Every product term is an object of 16–48 bytes, and every cover is a list that grows and is freed.
#include "common/workload.h"

#include <vector>

namespace {

// A product term: `care` has a bit for each variable that matters, and `value` has the required values. Terms
// of real programs differ in length, so each gets a few bytes more than it needs.
struct Term {
    std::uint64_t care;
    std::uint64_t value;
};

Term* make_term(std::uint64_t care, std::uint64_t value) {
    const std::size_t bytes = sizeof(Term) + (care % 5) * 8;
    auto* term = static_cast<Term*>(bench::take(bytes));
    term->care = care;
    term->value = value;
    return term;
}

// A list of terms that owns them.
class Cover {
  public:
    Cover() = default;
    Cover(Cover&& other) noexcept : terms_(other.terms_), size_(other.size_), capacity_(other.capacity_) {
        other.terms_ = nullptr;
        other.size_ = other.capacity_ = 0;
    }
    Cover(const Cover&) = delete;
    Cover& operator=(const Cover&) = delete;
    Cover& operator=(Cover&&) = delete;
    ~Cover() {
        for (Term* term : *this) {
            std::free(term);
        }
        std::free(terms_);
    }

    Term** begin() const { return terms_; }
    Term** end() const { return terms_ + size_; }
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }

    void add(Term* term) {
        if (size_ == capacity_) {
            capacity_ = capacity_ == 0 ? 2 : capacity_ * 2;
            terms_ = static_cast<Term**>(std::realloc(terms_, capacity_ * sizeof(Term*)));
            if (terms_ == nullptr) {
                bench::broken("realloc gave null", nullptr, capacity_ * sizeof(Term*));
            }
        }
        terms_[size_++] = term;
    }

    bool covers(std::uint64_t point) const {
        for (const Term* term : *this) {
            if (((point ^ term->value) & term->care) == 0) {
                return true;
            }
        }
        return false;
    }

  private:
    Term** terms_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

Cover random_cover(bench::Rng& random, unsigned variables, std::size_t terms) {
    Cover cover;
    const std::uint64_t all = (std::uint64_t{1} << variables) - 1;
    for (std::size_t i = 0; i < terms; ++i) {
        const std::uint64_t care = random.next() & random.next() & all;
        cover.add(make_term(care, random.next() & care));
    }
    return cover;
}

// The function with one variable fixed.
Cover cofactor(const Cover& cover, std::uint64_t variable, bool set) {
    Cover fixed;
    for (const Term* term : cover) {
        const bool wants = (term->value & variable) != 0;
        if ((term->care & variable) == 0 || wants == set) {
            fixed.add(make_term(term->care & ~variable, term->value & ~variable));
        }
    }
    return fixed;
}

// The variable that occurs in the most terms.
std::uint64_t busiest(const Cover& cover, unsigned variables) {
    std::uint64_t best = 0;
    std::size_t most = 0;
    for (unsigned v = 0; v < variables; ++v) {
        std::size_t count = 0;
        for (const Term* term : cover) {
            count += (term->care >> v) & 1;
        }
        if (count > most) {
            most = count;
            best = std::uint64_t{1} << v;
        }
    }
    return best;
}

Cover complement(const Cover& cover, unsigned variables) {
    Cover result;
    if (cover.empty()) {
        result.add(make_term(0, 0));
        return result;
    }
    const std::uint64_t split = busiest(cover, variables);
    if (split == 0) {
        return result;
    }
    for (const bool set : {false, true}) {
        const Cover half = complement(cofactor(cover, split, set), variables);
        for (const Term* term : half) {
            result.add(make_term(term->care | split, term->value | (set ? split : 0)));
        }
    }
    return result;
}

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "complements of Boolean functions (espresso family)");
    const auto variables =
        static_cast<unsigned>(arguments.number("variables", 16, "variables of a function"));
    const auto terms = arguments.number("terms", 24, "terms of a function");
    const auto functions = arguments.work("functions", 1200, "functions, one after another");
    arguments.finish();

    const bench::Stopwatch watch;
    bench::Rng random(1);
    std::uint64_t found = 0;
    for (std::uint64_t f = 0; f < functions; ++f) {
        const Cover cover = random_cover(random, variables, terms);
        const Cover inverse = complement(cover, variables);
        for (int probe = 0; probe < 64; ++probe) {
            const std::uint64_t point = random.next();
            if (cover.covers(point) == inverse.covers(point)) {
                bench::broken("a complement is wrong", inverse.begin(), inverse.size());
            }
        }
        found += inverse.size();
    }
    return bench::report(arguments.program(), found, watch.seconds(), found);
}
