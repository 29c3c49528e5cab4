// SPDX-License-Identifier: MIT
//
// The stacks of a profile and their numbers, in columns. src/cli/export/page_data.h describes them.
'use strict';

const NUMBERS = [
  'live.objects', 'live.bytes', 'live.requested', 'peak.objects', 'peak.bytes', 'peak.requested',
  'cumulative.objects', 'cumulative.bytes', 'cumulative.requested', 'temporary.objects', 'temporary.bytes',
  'remote.objects', 'remote.bytes',
];

const NO_LIFETIMES = {stacks: [], log2: [], objects: []};

/// Returns all columns. A column that is missing has zeros.
function columnsOf(packed, count) {
  return Object.fromEntries(NUMBERS.map(
    name => [name, packed[name] ? Float64Array.from(packed[name]) : new Float64Array(count)]));
}

function differenceOf(columns, before) {
  return Object.fromEntries(NUMBERS.map(
    name => [name, columns[name].map((number, stack) => number - before[name][stack])]));
}

class Stacks {
  constructor({count, depths, frames, sites, columns, lifetimes}) {
    this.count = count;
    this.sites = sites;
    this.frames = Int32Array.from(frames);
    this.starts = new Uint32Array(count + 1);
    depths.forEach((depth, stack) => {
      this.starts[stack + 1] = this.starts[stack] + depth;
    });
    this.setNumbers(columnsOf(columns, count), lifetimes);
  }

  setNumbers(columns, lifetimes) {
    this.columns = columns;
    this.lifetimes = lifetimes;
    /// 1 for each stack that has a number other than 0.
    this.used = new Uint8Array(this.count);
    for (const column of Object.values(columns)) {
      column.forEach((number, stack) => {
        this.used[stack] |= number !== 0;
      });
    }
  }

  /// Returns the same stacks with other numbers.
  with(columns, lifetimes) {
    const stacks = Object.create(Stacks.prototype);
    Object.assign(stacks, this);
    stacks.setNumbers(columns, lifetimes);
    return stacks;
  }

  depthOf(stack) {
    return this.starts[stack + 1] - this.starts[stack];
  }

  /// Returns the sum of one number over the stacks from `first` to before `last`.
  sum(name, first = 0, last = this.count) {
    let sum = 0;
    for (let stack = first; stack < last; ++stack) {
      sum += this.columns[name][stack];
    }
    return sum;
  }

  has(name, wanted) {
    return this.columns[name].some(wanted);
  }
}
