"""What a binary packet of SSH with AES-GCM looks like (RFC 4253, 4254, 5647).

Length (4 bytes, in clear), head, data, padding, tag; encrypted from the head to the padding.
"""

from __future__ import annotations

import struct

TAG = 16
BLOCK = 16
UINT32, UINT64 = struct.Struct(">I"), struct.Struct(">Q")
# Of a packet for a channel: padding, kind, channel, and how many bytes of data there are, or may be sent besides.
HEAD = struct.Struct(">BBII")
AROUND = UINT32.size + HEAD.size + 2 * BLOCK + TAG  # bytes that a packet has around its data, at the most
COUNTS = 2**64 - 1  # of packets, in the last 8 bytes of a nonce
