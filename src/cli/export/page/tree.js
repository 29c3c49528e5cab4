// SPDX-License-Identifier: MIT
//
// The stacks of a profile as a tree of functions, weighed by one metric at a time.
'use strict';

/// The metrics. Each takes one number from a stack.
const METRICS = {
  peak: {label: 'Peak', of: stack => stack.peak?.bytes ?? 0, format: formatBytes},
  live: {label: 'Live', of: stack => stack.live.bytes, format: formatBytes},
  cumulative: {label: 'Cumulative', of: stack => stack.cumulative.bytes, format: formatBytes},
  count: {label: 'Count', of: stack => stack.cumulative.objects, format: formatCount},
  temporary: {label: 'Temporary', of: stack => stack.temporary.objects, format: formatCount},
};

const UNKNOWN = '[unknown]';

function fileName(path) {
  return path.slice(path.lastIndexOf('/') + 1);
}

/// The text of a frame. `key` is the same for all frames of a function, or of an address without a function.
function describeFrame(profile, index) {
  const frame = profile.frames[index] ?? {};
  const known = profile.functions[frame.function];
  const name = known?.name || frame.address || UNKNOWN;
  const file = known?.file || '';
  const library = known?.library || '';
  return {
    key: known ? frame.function : profile.functions.length + index,
    name, file, library,
    line: frame.line || 0,
    inlined: Boolean(frame.inlined),
    text: `${name}\n${file}\n${library}`.toLowerCase(),
  };
}

/// A function reached by one path. totals: for each metric, the sum over the stacks at and below it. value: that of
/// the selected metric. weight: the sum of the absolute numbers, which determines the width in the graph. Value and
/// weight differ only in a difference of profiles.
class StackNode {
  constructor(place, parent) {
    this.place = place;
    this.parent = parent;
    this.depth = parent ? parent.depth + 1 : 0;
    this.children = [];
    this.stacks = [];
    this.totals = {};
    this.value = 0;
    this.weight = 0;
    this.manyLines = false;
  }

  /// Returns "file.c:12", without the line when the path goes through several lines.
  get source() {
    const {file, line} = this.place;
    return file && fileName(file) + (line && !this.manyLines ? `:${line}` : '');
  }
}

class StackTree {
  constructor(profile) {
    this.places = profile.frames.map((_, index) => describeFrame(profile, index));
    this.root = new StackNode({key: -1, name: fileName(profile.program), file: '', library: '', inlined: false}, null);
    /// Parents precede their children.
    this.nodes = [this.root];
    this.root.id = 0;
    const found = new Map();
    const keys = profile.functions.length + profile.frames.length;
    for (const stack of profile.stacks) {
      let node = this.root;
      for (let i = stack.frames.length - 1; i >= 0; --i) {
        node = this.child(node, this.places[stack.frames[i]], found, keys);
      }
      node.stacks.push(stack);
    }
    this.libraries = this.rankLibraries(profile.stacks);
    for (const [name, {of}] of Object.entries(METRICS)) {
      this.addUp(node => sumOf(node.stacks, of), (node, sum) => {
        node.totals[name] = sum;
      });
    }
  }

  child(parent, place, found, keys) {
    const key = parent.id * keys + place.key;
    let node = found.get(key);
    if (!node) {
      node = new StackNode(place, parent);
      node.id = this.nodes.length;
      this.nodes.push(node);
      parent.children.push(node);
      found.set(key, node);
    }
    node.manyLines ||= node.place.line !== place.line;
    return node;
  }

  /// Sorts libraries by the bytes allocated from them, so that their colours do not depend on the metric.
  rankLibraries(stacks) {
    const bytes = new Map(this.places.map(place => [place.library, 0]));
    for (const stack of stacks) {
      for (const library of new Set(stack.frames.map(frame => this.places[frame].library))) {
        bytes.set(library, bytes.get(library) + Math.abs(stack.cumulative.bytes) + Math.abs(stack.live.bytes));
      }
    }
    return [...bytes.keys()].sort((a, b) => bytes.get(b) - bytes.get(a));
  }

  /// Calls `store` for each node with the sum of `own` over all nodes at and below it.
  addUp(own, store) {
    const sums = this.nodes.map(own);
    for (let i = this.nodes.length - 1; i >= 0; --i) {
      const node = this.nodes[i];
      store(node, sums[i]);
      if (node.parent) {
        sums[node.parent.id] += sums[i];
      }
    }
  }

  weigh(name) {
    const {of} = METRICS[name];
    this.addUp(node => sumOf(node.stacks, stack => Math.abs(of(stack))), (node, sum) => {
      node.value = node.totals[name];
      node.weight = sum;
    });
    for (const node of this.nodes) {
      node.children.sort((a, b) => b.weight - a.weight);
    }
  }
}

function stacksBelow(node) {
  const stacks = [];
  const open = [node];
  while (open.length > 0) {
    const next = open.pop();
    stacks.push(...next.stacks);
    open.push(...next.children);
  }
  return stacks;
}

/// Returns the path from the root to the node.
function pathTo(node) {
  const path = [];
  for (let step = node; step; step = step.parent) {
    path.push(step);
  }
  return path.reverse();
}

function sumOf(stacks, number) {
  return stacks.reduce((sum, stack) => sum + number(stack), 0);
}
