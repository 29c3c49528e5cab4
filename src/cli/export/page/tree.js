// SPDX-License-Identifier: MIT
//
// The stacks of a profile as a tree of functions, weighed by one metric at a time. Nodes are made when they are asked
// for, so opening a page takes a time that depends little on the number of stacks.
'use strict';

/// The metrics. Each is one number of a stack.
const METRICS = {
  peak: {label: 'Peak', number: 'peak.bytes', format: formatBytes},
  live: {label: 'Live', number: 'live.bytes', format: formatBytes},
  cumulative: {label: 'Cumulative', number: 'cumulative.bytes', format: formatBytes},
  count: {label: 'Count', number: 'cumulative.objects', format: formatCount},
  temporary: {label: 'Temporary', number: 'temporary.objects', format: formatCount},
};

const UNKNOWN = '[unknown]';

function fileName(path) {
  return path.slice(path.lastIndexOf('/') + 1);
}

/// A frame. `key` is the same for all frames of a function, or of an address without a function.
function describeFrame(profile, index) {
  const frame = profile.frames[index] ?? {};
  const known = profile.functions[frame.function];
  return {
    key: known ? frame.function : profile.functions.length + index,
    name: known?.name || frame.address || UNKNOWN,
    file: known?.file || '',
    library: known?.library || '',
    line: frame.line || 0,
    inlined: Boolean(frame.inlined),
  };
}

/// What a search looks through.
function searchTextOf({name, file, library}) {
  return `${name}\n${file}\n${library}`.toLowerCase();
}

/// A function reached by one path: the stacks from `first` to before `last`.
class StackNode {
  constructor(tree, place, parent, first, last) {
    this.tree = tree;
    this.place = place;
    this.parent = parent;
    this.depth = parent ? parent.depth + 1 : 0;
    this.first = first;
    this.last = last;
  }

  /// The heaviest first.
  get children() {
    this.parts ??= this.tree.split(this);
    if (this.sortedBy !== this.tree.metric) {
      this.sortedBy = this.tree.metric;
      this.parts.sort((a, b) => b.weight - a.weight);
    }
    return this.parts;
  }

  /// The stacks that end here are those from `first` to before `end`. They precede those that go on.
  get end() {
    let end = this.first;
    while (end < this.last && this.tree.stacks.depthOf(end) === this.depth) {
      ++end;
    }
    return end;
  }

  /// The sum of the selected metric over the stacks at and below the node.
  get value() {
    return this.totalOf(this.tree.metric);
  }

  /// The sum of the absolute numbers, which determines the width in the graph. It differs from the value only in a
  /// difference of profiles.
  get weight() {
    return this.tree.weights[this.last] - this.tree.weights[this.first];
  }

  totalOf(metric) {
    const sums = this.tree.sums[metric];
    return sums[this.last] - sums[this.first];
  }

  /// Returns "file.c:12", without the line when the path goes through several lines.
  get source() {
    const {file, line} = this.place;
    if (!file) {
      return '';
    }
    this.hasOneLine ??= this.tree.hasOneLine(this);
    return fileName(file) + (line && this.hasOneLine ? `:${line}` : '');
  }
}

/// Returns the sums of the first 0, 1, 2, ... numbers.
function runningSums(numbers) {
  const sums = new Float64Array(numbers.length + 1);
  numbers.forEach((number, index) => {
    sums[index + 1] = sums[index] + number;
  });
  return sums;
}

/// Stacks that begin with the same functions are neighbours. `keys` has the key of each frame of each stack, `shared`
/// for each stack the number of keys that it begins with like the one before.
class StackTree {
  constructor(profile) {
    this.stacks = profile.stacks;
    this.places = profile.frames.map((_, index) => describeFrame(profile, index));
    this.keys = this.stacks.frames.map(frame => this.places[frame].key);
    this.shared = this.shareCounts();
    this.libraries = this.rankLibraries();
    this.sums = Object.fromEntries(Object.entries(METRICS).map(
      ([name, {number}]) => [name, runningSums(this.stacks.columns[number])]));
    this.root = new StackNode(this, {key: -1, name: fileName(profile.program), file: '', library: '', inlined: false},
                              null, 0, this.stacks.count);
    this.weigh(Object.keys(METRICS)[0]);
  }

  shareCounts() {
    const {keys, stacks} = this;
    const shared = new Uint32Array(stacks.count);
    for (let stack = 1; stack < stacks.count; ++stack) {
      const [before, start] = [stacks.starts[stack - 1], stacks.starts[stack]];
      const most = Math.min(stacks.depthOf(stack - 1), stacks.depthOf(stack));
      let length = 0;
      while (length < most && keys[before + length] === keys[start + length]) {
        ++length;
      }
      shared[stack] = length;
    }
    return shared;
  }

  /// Returns the frame of a stack at a depth; the root has depth 0.
  placeAt(stack, depth) {
    return this.places[this.stacks.frames[this.stacks.starts[stack] + depth - 1]];
  }

  /// Returns the nodes below a node.
  split(node) {
    const nodes = [];
    let first = node.end;
    while (first < node.last) {
      let last = first + 1;
      while (last < node.last && this.shared[last] > node.depth) {
        ++last;
      }
      nodes.push(new StackNode(this, this.placeAt(first, node.depth + 1), node, first, last));
      first = last;
    }
    return nodes;
  }

  hasOneLine({first, last, depth, place}) {
    for (let stack = first; stack < last; ++stack) {
      if (this.placeAt(stack, depth).line !== place.line) {
        return false;
      }
    }
    return true;
  }

  /// Sorts libraries by the bytes allocated from them, so that their colours do not depend on the metric.
  rankLibraries() {
    const {frames, starts, columns, count} = this.stacks;
    const names = [...new Set(this.places.map(place => place.library))];
    const numbers = new Map(names.map((name, number) => [name, number]));
    const libraryOf = Int32Array.from(this.places, place => numbers.get(place.library));
    const bytes = new Float64Array(names.length);
    const lastStack = new Int32Array(names.length).fill(-1);  // that was counted for the library
    for (let stack = 0; stack < count; ++stack) {
      const own = Math.abs(columns['cumulative.bytes'][stack]) + Math.abs(columns['live.bytes'][stack]);
      for (let at = starts[stack]; at < starts[stack + 1]; ++at) {
        const library = libraryOf[frames[at]];
        if (lastStack[library] !== stack) {
          lastStack[library] = stack;
          bytes[library] += own;
        }
      }
    }
    return names.toSorted((a, b) => bytes[numbers.get(b)] - bytes[numbers.get(a)]);
  }

  weigh(metric) {
    this.metric = metric;
    this.weights = runningSums(this.stacks.columns[METRICS[metric].number].map(Math.abs));
  }
}

/// Returns the path from the root to the node.
function pathTo(node) {
  const path = [];
  for (let step = node; step; step = step.parent) {
    path.push(step);
  }
  return path.reverse();
}
