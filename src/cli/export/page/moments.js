// SPDX-License-Identifier: MIT
//
// The profile of a span of time: the difference of two moments at which dumps were written.
'use strict';

const MOMENT_FIELDS = [
  ['live', 'objects'], ['live', 'bytes'], ['live', 'requested'],
  ['cumulative', 'objects'], ['cumulative', 'bytes'], ['cumulative', 'requested'],
  ['temporary', 'objects'], ['temporary', 'bytes'], ['remote', 'objects'], ['remote', 'bytes'],
];

function emptyTotals() {
  return MOMENT_FIELDS.map(() => 0);
}

/// Returns for each stack that changed what it had at the moment: Map(stack -> numbers in the order of MOMENT_FIELDS).
/// Each moment lists the changes since the one before. Moment -1 is the start.
function totalsAt(profile, moment) {
  const totals = new Map();
  for (let index = 0; index <= moment; ++index) {
    for (const [stack, ...numbers] of profile.moments[index].changes) {
      const sum = totals.get(stack) ?? emptyTotals();
      numbers.forEach((number, field) => {
        sum[field] += number;
      });
      totals.set(stack, sum);
    }
  }
  return totals;
}

function totalsAtEnd(profile) {
  return new Map(profile.stacks.map((stack, index) =>
    [index, MOMENT_FIELDS.map(([metric, unit]) => stack[metric][unit])]));
}

/// Returns the whole span of a profile: from the start to its last dump.
function wholeSpan(profile) {
  return {from: -1, to: profile.moments?.length ?? 0};
}

/// Returns the span between two moments, or the whole if these are none of the profile's.
function spanOf(profile, from, to) {
  const whole = wholeSpan(profile);
  const span = {from: from ?? whole.from, to: to ?? whole.to};
  return span.from >= whole.from && span.from < span.to && span.to <= whole.to ? span : whole;
}

/// Returns the profile with the stacks that changed in the span.
function profileOfSpan(profile, {from, to}) {
  const last = profile.moments?.length ?? 0;
  if (from < 0 && to >= last) {
    return profile;
  }
  const begin = totalsAt(profile, from);
  const end = to >= last ? totalsAtEnd(profile) : totalsAt(profile, to);
  const stacks = [];
  for (const [index, numbers] of end) {
    const before = begin.get(index) ?? emptyTotals();
    const difference = numbers.map((number, field) => number - before[field]);
    if (difference.some(number => number !== 0)) {
      const stack = {frames: profile.stacks[index].frames, site: profile.stacks[index].site, lifetimes: [],
                     live: {}, cumulative: {}, temporary: {}, remote: {}};
      MOMENT_FIELDS.forEach(([metric, unit], field) => {
        stack[metric][unit] = difference[field];
      });
      stacks.push(stack);
    }
  }
  return {...profile, stacks, has_peak: false, difference: true};
}
