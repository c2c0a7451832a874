// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The Merkle tree over the bytes of a blob, as a node's store computes it
/// @dev The one description of the tree is in actors/base/proof/merkle.h: RFC 6962, section 2.1, with SHA-256 over leaves of LEAF
/// bytes, the last one shorter and not padded. This checks an audit path of section 2.1.1: from the leaf up, a level without a partner
/// has no element in the path.
library StoreTree {
	uint256 internal constant LEAF = 1024;

	function leavesOf(uint256 size) internal pure returns (uint256) {
		return (size + LEAF - 1) / LEAF;
	}

	/// @notice How many bytes leaf number index of a blob has.
	function leafLength(uint256 size, uint256 index) internal pure returns (uint256) {
		uint256 left = size - index * LEAF;
		return left < LEAF ? left : LEAF;
	}

	/// @notice Whether these bytes are leaf number index of the blob with this root and size.
	function proves(bytes32 root, uint256 size, uint256 index, bytes calldata leaf, bytes32[] calldata path)
		internal
		pure
		returns (bool)
	{
		uint256 last = leavesOf(size) - 1;
		if (index > last || leaf.length != leafLength(size, index)) return false;
		bytes32 hash = sha256(abi.encodePacked(bytes1(0x00), leaf));
		uint256 used = 0;
		for (; last != 0; (index, last) = (index >> 1, last >> 1)) {
			if (index & 1 == 0 && index == last) continue; // no partner: moved up unchanged
			if (used == path.length) return false;
			bytes32 other = path[used++];
			hash = index & 1 == 1
				? sha256(abi.encodePacked(bytes1(0x01), other, hash))
				: sha256(abi.encodePacked(bytes1(0x01), hash, other));
		}
		return used == path.length && hash == root;
	}
}
