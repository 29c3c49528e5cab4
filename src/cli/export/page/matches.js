// SPDX-License-Identifier: MIT
//
// The frames of the tree that a search finds: which, how many, and the one before and after a node.
'use strict';

class Matches {
  constructor(tree, text) {
    this.tree = tree;
    const wanted = text.trim().toLowerCase();
    const found = new Map();
    for (const place of tree.places) {
      if (!found.has(place.key)) {
        found.set(place.key, searchTextOf(place).includes(wanted));
      }
    }
    this.found = found;
    this.deepest = this.lastMatches();
  }

  /// Returns for each stack the depth of its last match, or 0. A stack that weighs nothing has none.
  lastMatches() {
    const {keys, stacks} = this.tree;
    return Uint32Array.from({length: stacks.count}, (_, stack) => {
      let depth = this.weightOf(stack) > 0 ? stacks.depthOf(stack) : 0;
      while (depth > 0 && !this.found.get(keys[stacks.starts[stack] + depth - 1])) {
        --depth;
      }
      return depth;
    });
  }

  weightOf(stack) {
    return this.tree.weights[stack + 1] - this.tree.weights[stack];
  }

  has(node) {
    return Boolean(node.parent) && this.found.get(node.place.key);
  }

  /// Returns the number of matching nodes and what the stacks with a match weigh.
  count() {
    const {keys, shared, stacks} = this.tree;
    let count = 0;
    let weight = 0;
    let counted = 0;  // how many frames the stack shares with the last one that was counted
    for (let stack = 0; stack < stacks.count; ++stack) {
      counted = Math.min(counted, shared[stack]);
      if (this.deepest[stack] > 0) {
        for (let depth = counted; depth < this.deepest[stack]; ++depth) {
          count += this.found.get(keys[stacks.starts[stack] + depth]) ? 1 : 0;
        }
        counted = stacks.depthOf(stack);
        weight += this.weightOf(stack);
      }
    }
    return {count, weight};
  }

  /// Whether there is a match at the node or below.
  reaches({first, last, depth}) {
    for (let stack = first; stack < last; ++stack) {
      if (this.deepest[stack] >= depth) {
        return true;
      }
    }
    return false;
  }

  /// Returns the next match: from left to right, and from the root down. After the last one comes the first.
  after(node) {
    let next = node;
    do {
      next = this.follow(next);
    } while (!this.has(next));
    return next;
  }

  before(node) {
    let next = node;
    do {
      next = this.precede(next);
    } while (!this.has(next));
    return next;
  }

  follow(node) {
    let next = node.children.find(child => this.reaches(child));
    for (let step = node; !next && step.parent; step = step.parent) {
      const siblings = step.parent.children;
      next = siblings.slice(siblings.indexOf(step) + 1).find(sibling => this.reaches(sibling));
    }
    return next ?? this.tree.root;
  }

  precede(node) {
    if (!node.parent) {
      return this.lastBelow(node);
    }
    const siblings = node.parent.children;
    const previous = siblings.slice(0, siblings.indexOf(node)).findLast(sibling => this.reaches(sibling));
    return previous ? this.lastBelow(previous) : node.parent;
  }

  lastBelow(node) {
    const last = node.children.findLast(child => this.reaches(child));
    return last ? this.lastBelow(last) : node;
  }
}
