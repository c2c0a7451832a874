// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Challenging} from "./Challenging.sol";
import {Reports} from "./Reports.sol";

/// @title Challenges: a node proves that it has the bytes it says it holds, or is slashed (seed 000; FEATURES C4)
/// @dev A node says which files it holds: by the SHA-256 in their CID, with Merkle root and size (StoreTree.sol). Only those can
/// be asked for, until RELEASE_NOTICE after it gave one up. A challenge draws leaves by the hash of the block before it; each is
/// answered by its bytes and their path, one a transaction (a leaf of 1 KiB with its path fits in the data that a wallet signs).
/// The contract cannot see that root and CID are of the same bytes; whoever has the file can, and need not trust the node.
abstract contract Challenges is Reports {
	using Challenging for Challenging.Book;

	/// @notice Challenges that a node may have open at a time. Ours.
	uint256 internal constant MAX_OPEN_CHALLENGES = 8;

	Challenging.Book private _challenges;

	error NodeHasEnoughOpenChallenges(uint256 most);
	error YouCannotChallengeYourself();

	constructor() {
		_challenges.setTerms(1 hours, 1e18, 1);
	}

	// -- files -------------------------------------------------------------------------------------------------------

	/// @notice Says that the node holds these files.
	/// @param fileHashes the SHA-256 in each CID; roots, sizes: of the same bytes (actors/base/proof/merkle.h).
	function holdFiles(
		bytes32 nodeId,
		bytes32[] calldata fileHashes,
		bytes32[] calldata roots,
		uint64[] calldata sizes
	) external {
		_ownNode(nodeId);
		_challenges.hold(nodeId, _activeNode(nodeId).registeredAt, fileHashes, roots, sizes);
	}

	/// @notice Says that the node gives a file up. It must keep it, and can be asked for it, for a day (RELEASE_NOTICE).
	function releaseFile(bytes32 nodeId, bytes32 fileHash) external {
		_challenges.release(nodeId, _ownNode(nodeId).registeredAt, fileHash);
	}

	/// @notice What a node says of a file; held is whether it can be challenged.
	function getFile(bytes32 nodeId, bytes32 fileHash) external view returns (Challenging.File memory file, bool held) {
		return _challenges.fileOf(nodeId, _nodes[nodeId].registeredAt, fileHash);
	}

	// -- challenges --------------------------------------------------------------------------------------------------

	/// @notice Asks a node for leaves of a file that it says it holds. Takes the bond, which must be approved first.
	function challengeNode(bytes32 nodeId, bytes32 fileHash) external nonReentrant onlyRegistered returns (uint256 id) {
		Node storage node = _activeNode(nodeId);
		if (node.wallet == msg.sender) revert YouCannotChallengeYourself();
		if (node.openChallenges >= MAX_OPEN_CHALLENGES) revert NodeHasEnoughOpenChallenges(MAX_OPEN_CHALLENGES);
		++node.openChallenges;
		uint256 bond;
		(id, bond) = _challenges.open(nodeId, node.registeredAt, fileHash);
		_takeBond(bond);
	}

	/// @notice The number of the last challenge.
	function challengeCount() external view returns (uint256) {
		return _challenges.count;
	}

	/// @notice An open challenge; all zero when there is none of this number.
	function getChallenge(uint256 id) external view returns (Challenging.Challenge memory) {
		return _challenges.opened[id];
	}

	/// @notice The number of the leaf that is asked for next, and how many are left, that one included.
	function leafToProve(uint256 id) external view returns (uint256 leaf, uint256 left) {
		return _challenges.leafToProve(id);
	}

	/// @notice Answers with the leaf that leafToProve names, and its audit path from the leaf up. Anybody may: the bytes speak
	/// for themselves. With the last leaf the bond is the node's wallet's.
	function answerChallenge(uint256 id, bytes calldata leaf, bytes32[] calldata path) external nonReentrant {
		(bytes32 nodeId, uint256 bond) = _challenges.answer(id, leaf, path);
		if (nodeId == 0) return;
		--_nodes[nodeId].openChallenges;
		_returnBond(_nodes[nodeId].wallet, bond);
	}

	/// @notice After the deadline of a challenge that was not answered: slashes the node, gives the bond back. Anybody may.
	function settleChallenge(uint256 id) external nonReentrant {
		(bytes32 nodeId, address challenger, uint256 bond) = _challenges.settle(id);
		--_nodes[nodeId].openChallenges;
		_slash(nodeId, "Challenge missed");
		_returnBond(challenger, bond);
	}

	/// @notice Seconds to answer (at first 3,600, as seed 003's proofs are good for), what a challenge costs when it is answered
	/// (1 MCT) and how many leaves it draws (1). The last two are ours.
	function getChallengeTerms() external view returns (uint256 window, uint256 bond, uint256 samples) {
		return (_challenges.window, _challenges.bond, _challenges.samples);
	}

	function setChallengeTerms(uint256 window, uint256 bond, uint256 samples) external onlyOwner {
		_challenges.setTerms(window, bond, samples);
	}
}
