// SPDX-License-Identifier: MIT
// Symbolic computation with tiny objects (the cfrac family): the continued fraction of a square root in
// numbers of a few limbs. Each value is an object of 8–48 bytes that lives for one expression.
#include "natural.h"

#include <vector>

namespace {

using bench::Natural;

Natural square_root(const Natural& n) {
    Natural guess = n;
    for (;;) {
        Natural better = (guess + n.divide(guess).first).divide(2).first;
        if (compare(better, guess) >= 0) {
            return guess;
        }
        guess = std::move(better);
    }
}

std::vector<std::uint32_t> primes_below(std::uint32_t bound) {
    std::vector<std::uint32_t> primes;
    for (std::uint32_t n = 2; n < bound; ++n) {
        bool prime = true;
        for (std::uint32_t p : primes) {
            prime = prime && n % p != 0;
        }
        if (prime) {
            primes.push_back(n);
        }
    }
    return primes;
}

// What remains of n after trial division by the small primes.
Natural without_small_factors(Natural n, const std::vector<std::uint32_t>& primes) {
    for (const std::uint32_t prime : primes) {
        for (;;) {
            auto [quotient, rest] = n.divide(prime);
            if (rest != 0) {
                break;
            }
            n = std::move(quotient);
        }
    }
    return n;
}

// One term of the expansion of sqrt(n): the usual recurrences for m, d and a, and the convergent's numerator
// mod n.
struct Expansion {
    Natural n, root;
    Natural m{0}, d{1}, a, numerator, before{1};
    bool odd = false;

    explicit Expansion(const Natural& number)
        : n(number), root(square_root(number)), a(root), numerator(root) {}

    void step() {
        m = d * a - m;
        d = (n - m * m).divide(d).first;
        a = (root + m).divide(d).first;
        odd = !odd;
    }

    // numerator² ≡ ±d (mod n): one wrong limb anywhere breaks this.
    void check() const {
        const Natural square = (numerator * numerator).divide(n).second;
        const Natural expected = odd ? n - d : d;
        if (compare(square, expected.divide(n).second) != 0) {
            bench::broken("the arithmetic is wrong", this, sizeof *this);
        }
    }

    void next_convergent() {
        Natural next = (a * numerator + before).divide(n).second;
        before = std::move(numerator);
        numerator = std::move(next);
    }
};

}  // namespace

int main(int argc, char** argv) {
    bench::Arguments arguments(argc, argv, "the continued fraction of a square root (cfrac family)");
    const auto terms = arguments.work("terms", 480000, "terms of the expansion");
    const auto bound = arguments.number("primes", 400, "trial division by the primes below");
    arguments.finish();

    const bench::Stopwatch watch;
    const auto primes = primes_below(static_cast<std::uint32_t>(bound));
    // The product of two primes of 64 and 61 bits: the period is far longer than any run.
    Expansion expansion(Natural(18446744073709551557ULL) * Natural(2305843009213693951ULL));
    std::uint64_t smooth = 0;
    std::uint64_t check = 0;
    for (std::uint64_t i = 0; i < terms; ++i) {
        expansion.step();
        expansion.check();
        const Natural rest = without_small_factors(expansion.d, primes);
        smooth += compare(rest, Natural(1)) == 0 ? 1 : 0;
        check = check * 31 + rest.low();
        expansion.next_convergent();
    }
    return bench::report(arguments.program(), terms * primes.size(), watch.seconds(), check ^ smooth << 48);
}
