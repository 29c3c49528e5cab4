// SPDX-License-Identifier: MIT
//
// Where each frame of the tree lies: rows of boxes from left to right, and the way from box to box.
// Knows nothing of pixels on a screen, colours or keys.
// Called by the graph.
'use strict';

/// In pixels: what is narrower is left out, with all that lies below it.
const NARROWEST = 0.5;

/// The rows of the tree zoomed to `zoomed`, `width` pixels wide: the callers of it as one box each, then all that is
/// below. Children are sorted by weight, so the first that is too narrow ends its row: the work grows with the
/// pixels, not with the tree.
function layOut(zoomed, width) {
  const rows = pathTo(zoomed).map(node => [{node, left: 0, right: width}]);
  for (let row = rows.at(-1); row.length > 0; row = rows.at(-1)) {
    const next = [];
    for (const box of row) {
      const scale = (box.right - box.left) / box.node.weight;
      let left = box.left;
      for (const child of box.node.children) {
        const right = left + child.weight * scale;
        if (!(right - left >= NARROWEST)) {
          break;
        }
        next.push({node: child, left, right});
        left = right;
      }
    }
    if (next.length === 0) {
      break;
    }
    rows.push(next);
  }
  return rows;
}

/// The box of the row at x, or undefined.
function boxAt(row, x) {
  let first = 0;
  let last = row.length;
  while (first < last) {
    const middle = (first + last) >> 1;
    if (row[middle].right > x) {
      last = middle;
    } else {
      first = middle + 1;
    }
  }
  return first < row.length && row[first].left <= x ? row[first] : undefined;
}

function boxOf(rows, node) {
  return rows[node.depth]?.find(box => box.node === node);
}

/// The node that an arrow key leads to; the same one at an edge.
function neighbour(rows, node, key) {
  const row = rows[node.depth] ?? [];
  const index = row.findIndex(box => box.node === node);
  switch (key) {
    case 'ArrowUp':
      return node.parent ?? node;
    case 'ArrowDown':
      return rows[node.depth + 1]?.find(box => box.node.parent === node)?.node ?? node;
    case 'ArrowLeft':
      return row[index - 1]?.node ?? node;
    case 'ArrowRight':
      return row[index + 1]?.node ?? node;
    case 'Home':
      return rows[0][0].node;
    default:
      return node;
  }
}
