// SPDX-License-Identifier: MIT
// Natural numbers of any length, with one heap object per value, as in symbolic programs of the cfrac kind.
// The purpose is to request memory, not to be fast at arithmetic: there is no shortcut for small values, and
// results are not reused.
#pragma once

#include "common/workload.h"

#include <utility>

namespace bench {

// Immutable. Invariant: the top limb is not zero, unless the number is zero and has no limb.
class Natural {
  public:
    explicit Natural(std::uint64_t value) : Natural(Digits::make(2)) {
        digits_->limb()[0] = static_cast<std::uint32_t>(value);
        digits_->limb()[1] = static_cast<std::uint32_t>(value >> 32);
        trim();
    }
    Natural(const Natural& other) : digits_(other.digits_) { ++digits_->owners; }
    Natural(Natural&& other) noexcept : digits_(std::exchange(other.digits_, nullptr)) {}
    Natural& operator=(Natural other) noexcept {
        std::swap(digits_, other.digits_);
        return *this;
    }
    ~Natural() {
        if (digits_ != nullptr && --digits_->owners == 0) {
            std::free(digits_);
        }
    }

    bool is_zero() const { return digits_->count == 0; }
    std::uint32_t low() const { return at(0); }

    friend int compare(const Natural& a, const Natural& b) {
        if (a.count() != b.count()) {
            return a.count() < b.count() ? -1 : 1;
        }
        for (std::uint32_t i = a.count(); i > 0; --i) {
            if (a.at(i - 1) != b.at(i - 1)) {
                return a.at(i - 1) < b.at(i - 1) ? -1 : 1;
            }
        }
        return 0;
    }

    friend Natural operator+(const Natural& a, const Natural& b) {
        Natural sum(Digits::make((a.count() > b.count() ? a.count() : b.count()) + 1));
        std::uint64_t carry = 0;
        for (std::uint32_t i = 0; i < sum.count(); ++i) {
            carry += std::uint64_t{a.at(i)} + b.at(i);
            sum.digits_->limb()[i] = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
        sum.trim();
        return sum;
    }

    // a >= b
    friend Natural operator-(const Natural& a, const Natural& b) {
        Natural rest(Digits::make(a.count()));
        std::int64_t borrow = 0;
        for (std::uint32_t i = 0; i < a.count(); ++i) {
            borrow += std::int64_t{a.at(i)} - b.at(i);
            rest.digits_->limb()[i] = static_cast<std::uint32_t>(borrow);
            borrow >>= 32;
        }
        rest.trim();
        return rest;
    }

    friend Natural operator*(const Natural& a, const Natural& b) {
        Natural product(Digits::make(a.count() + b.count()));
        std::memset(product.digits_->limb(), 0, product.count() * sizeof(std::uint32_t));
        for (std::uint32_t i = 0; i < a.count(); ++i) {
            std::uint64_t carry = 0;
            for (std::uint32_t j = 0; j < b.count() || carry != 0; ++j) {
                carry += std::uint64_t{a.at(i)} * b.at(j) + product.digits_->limb()[i + j];
                product.digits_->limb()[i + j] = static_cast<std::uint32_t>(carry);
                carry >>= 32;
            }
        }
        product.trim();
        return product;
    }

    // Quotient and remainder by one limb.
    std::pair<Natural, std::uint32_t> divide(std::uint32_t divisor) const {
        Natural quotient(Digits::make(count()));
        std::uint64_t rest = 0;
        for (std::uint32_t i = count(); i > 0; --i) {
            rest = rest << 32 | at(i - 1);
            quotient.digits_->limb()[i - 1] = static_cast<std::uint32_t>(rest / divisor);
            rest %= divisor;
        }
        quotient.trim();
        return {std::move(quotient), static_cast<std::uint32_t>(rest)};
    }

    // Quotient and remainder: each limb of the quotient is estimated from below by the leading limbs and
    // corrected until the rest is smaller than the divisor.
    std::pair<Natural, Natural> divide(const Natural& divisor) const {
        Natural quotient(std::uint64_t{0});
        Natural rest = *this;
        while (compare(rest, divisor) >= 0) {
            const std::uint32_t shift = rest.count() - divisor.count();
            std::uint64_t estimate = rest.top() / (divisor.top() + 1);
            std::uint32_t place = shift;
            if (estimate == 0) {
                // The leading limbs are too close to decide: take one limb more, or subtract the divisor
                // once.
                const bool wider = shift > 0;
                place = wider ? shift - 1 : 0;
                estimate = wider ? (rest.top() << 32 | rest.at(rest.count() - 2)) / (divisor.top() + 1) : 1;
            }
            const Natural part = Natural(estimate).shifted(place);
            quotient = quotient + part;
            rest = rest - part * divisor;
        }
        return {std::move(quotient), std::move(rest)};
    }

  private:
    struct Digits {
        std::uint32_t owners;
        std::uint32_t count;

        std::uint32_t* limb() { return reinterpret_cast<std::uint32_t*>(this + 1); }

        static Digits& make(std::uint32_t count) {
            auto* digits = static_cast<Digits*>(take(sizeof(Digits) + count * sizeof(std::uint32_t)));
            digits->owners = 1;
            digits->count = count;
            return *digits;
        }
    };

    explicit Natural(Digits& digits) : digits_(&digits) {}

    std::uint32_t count() const { return digits_->count; }
    std::uint32_t at(std::uint32_t i) const { return i < digits_->count ? digits_->limb()[i] : 0; }

    std::uint64_t top() const { return at(count() - 1); }

    Natural shifted(std::uint32_t limbs) const {
        Natural result(Digits::make(count() + limbs));
        std::memset(result.digits_->limb(), 0, limbs * sizeof(std::uint32_t));
        std::memcpy(result.digits_->limb() + limbs, digits_->limb(), count() * sizeof(std::uint32_t));
        result.trim();
        return result;
    }

    void trim() {
        while (digits_->count > 0 && digits_->limb()[digits_->count - 1] == 0) {
            --digits_->count;
        }
    }

    Digits* digits_;
};

}  // namespace bench
