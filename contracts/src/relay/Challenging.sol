// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StoreTree} from "./StoreTree.sol";

/// @title The book of files that nodes say they hold, and of open challenges
/// @dev A library of its own for the same reason as Reporting.sol; who may call, and the money, are in Challenges.sol.
library Challenging {
	struct File {
		bytes32 root;
		uint64 size;
		uint40 releasedAt; // 0 while it is held
		uint64 challenge; // the open one, or 0
	}

	struct Challenge {
		bytes32 nodeId;
		bytes32 fileHash;
		bytes32 fileKey;
		bytes32 root;
		bytes32 seed;
		address challenger;
		uint40 deadline;
		uint8 samples;
		uint8 answered;
		uint64 size;
		uint128 bond;
	}

	struct Book {
		uint256 count;
		uint32 window;
		uint8 samples;
		uint128 bond;
		mapping(uint256 id => Challenge challenge) opened;
		mapping(bytes32 key => File file) files;
	}

	/// @notice How long a released file can still be asked for. Ours: as long as the longest window.
	uint256 internal constant RELEASE_NOTICE = 1 days;
	/// @notice Bounds of the settings, and files in one call. Ours.
	uint256 internal constant MIN_WINDOW = 10 minutes;
	uint256 internal constant MAX_WINDOW = 1 days;
	uint256 internal constant MAX_SAMPLES = 16;
	uint256 internal constant MAX_BOND = 100e18;
	uint256 internal constant MAX_FILES_PER_CALL = 64;

	event FileHeld(bytes32 indexed nodeId, bytes32 indexed fileHash, bytes32 root, uint256 size);
	event FileReleased(bytes32 indexed nodeId, bytes32 indexed fileHash, uint256 challengeableUntil);
	event NodeChallenged(
		uint256 indexed id,
		bytes32 indexed nodeId,
		bytes32 indexed fileHash,
		address challenger,
		bytes32 seed,
		uint256 samples,
		uint256 deadline
	);
	event LeafProven(uint256 indexed id, bytes32 indexed nodeId, uint256 leaf, uint256 left);
	event ChallengeAnswered(uint256 indexed id, bytes32 indexed nodeId, bytes32 indexed fileHash);
	event ChallengeMissed(uint256 indexed id, bytes32 indexed nodeId, bytes32 indexed fileHash);
	event ChallengeTermsChanged(uint256 window, uint256 bond, uint256 samples);

	error GiveOneRootAndSizePerFileAtMost64();
	error FileIsAlreadyHeld(bytes32 fileHash);
	error FileHasNoBytesOrNoRoot(bytes32 fileHash);
	error NodeDoesNotHoldThisFile(bytes32 nodeId, bytes32 fileHash);
	error FileIsAlreadyReleased(bytes32 fileHash);
	error FileHasAnOpenChallenge(uint256 id);
	error NoSuchOpenChallenge(uint256 id);
	error DeadlineHasPassed(uint256 deadline);
	error DeadlineHasNotPassed(uint256 deadline);
	error LeafOrPathIsWrong(uint256 leaf);
	error TermsOutOfBounds();

	// -- files -------------------------------------------------------------------------------------------------------

	function hold(
		Book storage book,
		bytes32 nodeId,
		uint256 life,
		bytes32[] calldata fileHashes,
		bytes32[] calldata roots,
		uint64[] calldata sizes
	) external {
		uint256 count = fileHashes.length;
		if (count == 0 || count > MAX_FILES_PER_CALL || roots.length != count || sizes.length != count) {
			revert GiveOneRootAndSizePerFileAtMost64();
		}
		for (uint256 i = 0; i < count; ++i) {
			File storage file = book.files[key(nodeId, life, fileHashes[i])];
			// one that was given up may come back with the root it had, so that no open challenge loses its file
			if (_isHeld(file) && (file.releasedAt == 0 || file.root != roots[i] || file.size != sizes[i])) {
				revert FileIsAlreadyHeld(fileHashes[i]);
			}
			if (sizes[i] == 0 || roots[i] == 0) revert FileHasNoBytesOrNoRoot(fileHashes[i]);
			file.root = roots[i];
			file.size = sizes[i];
			file.releasedAt = 0;
			emit FileHeld(nodeId, fileHashes[i], roots[i], sizes[i]);
		}
	}

	function release(Book storage book, bytes32 nodeId, uint256 life, bytes32 fileHash) external {
		File storage file = book.files[key(nodeId, life, fileHash)];
		if (!_isHeld(file)) revert NodeDoesNotHoldThisFile(nodeId, fileHash);
		if (file.releasedAt != 0) revert FileIsAlreadyReleased(fileHash);
		file.releasedAt = uint40(block.timestamp);
		emit FileReleased(nodeId, fileHash, block.timestamp + RELEASE_NOTICE);
	}

	function fileOf(Book storage book, bytes32 nodeId, uint256 life, bytes32 fileHash)
		external
		view
		returns (File memory file, bool held)
	{
		File storage stored = book.files[key(nodeId, life, fileHash)];
		return (stored, _isHeld(stored));
	}

	/// @dev What a node says it holds ends with its registration, whose time is its life.
	function key(bytes32 nodeId, uint256 life, bytes32 fileHash) internal pure returns (bytes32) {
		return keccak256(abi.encode(nodeId, life, fileHash));
	}

	function _isHeld(File storage file) private view returns (bool) {
		return file.root != 0 && (file.releasedAt == 0 || block.timestamp <= file.releasedAt + RELEASE_NOTICE);
	}

	// -- challenges --------------------------------------------------------------------------------------------------

	function open(Book storage book, bytes32 nodeId, uint256 life, bytes32 fileHash)
		external
		returns (uint256 id, uint256 bond)
	{
		bytes32 fileKey = key(nodeId, life, fileHash);
		File storage file = book.files[fileKey];
		if (!_isHeld(file)) revert NodeDoesNotHoldThisFile(nodeId, fileHash);
		if (file.challenge != 0) revert FileHasAnOpenChallenge(file.challenge);
		id = ++book.count;
		bond = book.bond;
		file.challenge = uint64(id);
		Challenge storage c = book.opened[id];
		c.nodeId = nodeId;
		c.fileHash = fileHash;
		c.fileKey = fileKey;
		c.root = file.root;
		c.seed = keccak256(abi.encode(blockhash(block.number - 1), id, nodeId, fileHash, msg.sender));
		c.challenger = msg.sender;
		c.deadline = uint40(block.timestamp + book.window);
		c.samples = book.samples;
		c.size = file.size;
		c.bond = uint128(bond);
		emit NodeChallenged(id, nodeId, fileHash, msg.sender, c.seed, c.samples, c.deadline);
	}

	function leafToProve(Book storage book, uint256 id) public view returns (uint256 leaf, uint256 left) {
		Challenge storage c = book.opened[id];
		if (c.challenger == address(0)) revert NoSuchOpenChallenge(id);
		left = c.samples - c.answered;
		leaf = uint256(keccak256(abi.encode(c.seed, c.answered))) % StoreTree.leavesOf(c.size);
	}

	/// @dev With the last leaf the challenge is closed, and the bond is to be paid to the node's wallet; before, nodeId is 0.
	function answer(Book storage book, uint256 id, bytes calldata leaf, bytes32[] calldata path)
		external
		returns (bytes32 nodeId, uint256 bond)
	{
		Challenge storage c = book.opened[id];
		(uint256 number, uint256 left) = leafToProve(book, id);
		if (block.timestamp > c.deadline) revert DeadlineHasPassed(c.deadline);
		if (!StoreTree.proves(c.root, c.size, number, leaf, path)) revert LeafOrPathIsWrong(number);
		++c.answered;
		emit LeafProven(id, c.nodeId, number, left - 1);
		if (left > 1) return (0, 0);
		(nodeId, bond) = (c.nodeId, c.bond);
		emit ChallengeAnswered(id, nodeId, c.fileHash);
		_close(book, id);
	}

	/// @dev Closes a challenge that was not answered; the bond is to be paid to the challenger.
	function settle(Book storage book, uint256 id)
		external
		returns (bytes32 nodeId, address challenger, uint256 bond)
	{
		Challenge storage c = book.opened[id];
		if (c.challenger == address(0)) revert NoSuchOpenChallenge(id);
		if (block.timestamp <= c.deadline) revert DeadlineHasNotPassed(c.deadline);
		(nodeId, challenger, bond) = (c.nodeId, c.challenger, c.bond);
		emit ChallengeMissed(id, nodeId, c.fileHash);
		_close(book, id);
	}

	function _close(Book storage book, uint256 id) private {
		book.files[book.opened[id].fileKey].challenge = 0;
		delete book.opened[id];
	}

	function setTerms(Book storage book, uint256 window, uint256 bond, uint256 samples) external {
		if (window < MIN_WINDOW || window > MAX_WINDOW || bond > MAX_BOND || samples == 0 || samples > MAX_SAMPLES) {
			revert TermsOutOfBounds();
		}
		book.window = uint32(window);
		book.bond = uint128(bond);
		book.samples = uint8(samples);
		emit ChallengeTermsChanged(window, bond, samples);
	}
}
