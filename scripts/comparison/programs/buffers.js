// SPDX-License-Identifier: MIT
// A typical load of node programs: buffers, compression, and parsing and printing of text. V8's own heap does not use
// malloc. The program must print the same check value under every allocator.
'use strict';
const zlib = require('zlib');

const scale = Number(process.argv[2]);
let total = 0;
for (let turn = 0; turn < Math.max(1, Math.round(40 * scale)); turn++) {
    const parts = [];
    for (let i = 0; i < 20000; i++) {
        const buffer = Buffer.allocUnsafeSlow(64 + (i * 7919) % 4000);
        buffer.fill(i & 0xff);
        parts.push(buffer);
        if (parts.length > 500) {
            total += parts.shift().length;
        }
    }
    const packed = zlib.deflateSync(Buffer.concat(parts), {level: 1});
    total += zlib.inflateSync(packed).length;
    const text = JSON.stringify(parts.map((part, place) => ({place, length: part.length})));
    total += JSON.parse(text).length;
}
console.log('check=' + total.toString(16).padStart(16, '0'));
