// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title The book of relay proofs and of the days' pools
/// @dev A library of its own for the same reason as Reporting.sol; who may call, and the money, are in Relays.sol. A day's pool,
/// its rate and its contributors are kept with the day, from its first relay on: deployed, the rate was that of the time of the
/// claim, and a contributor was counted once for ever.
library Pooling {
	struct Day {
		uint32 relays;
		uint32 contributors;
		uint64 weighted;
		uint128 pool;
		uint128 rate;
		uint128 paid;
	}

	struct Stats {
		uint32 relays;
		uint64 weighted;
		uint128 paid;
	}

	struct Book {
		uint256 pool; // of a day that begins from now on
		uint256 rate;
		mapping(bytes32 key => bool used) used;
		mapping(uint256 day => Day record) pools;
		mapping(address wallet => mapping(uint256 day => Stats stats)) stats;
	}

	/// @notice No wallet earns more than this for each MESSAGES_PER_REWARD relays (deployed).
	uint256 internal constant BASE_REWARD_PER_1000_MSG = 1e15;
	uint256 internal constant MESSAGES_PER_REWARD = 1000;
	/// @notice A proof may be this old (deployed).
	uint256 internal constant RELAY_PROOF_AGE = 1 hours;
	/// @notice Bounds of the two settings: the daily pool of seed 002, and 1 MCT a message. Ours.
	uint256 internal constant MAX_DAILY_POOL = 100e18;
	uint256 internal constant MAX_RELAY_REWARD = 1e18;

	event DailyRelayRecorded(address indexed node, uint256 dayId, uint256 relayCount, uint256 weightedCount);
	event NodeDailyRewardClaimed(address indexed node, uint256 indexed dayId, uint256 relayCount, uint256 reward);
	event DailyPoolAmountChanged(uint256 oldAmount, uint256 newAmount);
	event RelayRewardChanged(uint256 oldReward, uint256 newReward);

	error TimestampIsInTheFuture(uint256 timestamp);
	error TimestampIsTooOld(uint256 timestamp, uint256 oldest);
	error ProofWasUsedBefore(bytes32 key);
	error SignatureMustHave65Bytes(uint256 length);
	error SignatureIsNotTheSendersForThisNonce(address signer, uint256 nonce);
	error OnlyDaysBeforeTodayCanBeClaimed(uint256 today);
	error NothingWasRelayedThatDay(uint256 day);
	error AlreadyClaimedInFull(uint256 day);
	error RewardReserveIsEmptyClaimLater();
	error SettingIsAboveItsBound(uint256 bound);

	/// @dev Checks a proof and uses it up: its time, that it is new, and that the sender signed it for this nonce.
	function prove(
		Book storage book,
		bytes32 nodeId,
		bytes32 messageHash,
		address sender,
		address recipient,
		uint256 timestamp,
		uint256 nonce,
		bytes calldata signature
	) external {
		if (timestamp > block.timestamp) revert TimestampIsInTheFuture(timestamp);
		if (block.timestamp - timestamp > RELAY_PROOF_AGE) {
			revert TimestampIsTooOld(timestamp, block.timestamp - RELAY_PROOF_AGE);
		}
		bytes32 key = keccak256(abi.encodePacked(messageHash, nodeId, sender, recipient));
		if (book.used[key]) revert ProofWasUsedBefore(key);
		address signer = _signer(keccak256(abi.encodePacked(messageHash, nodeId, timestamp, nonce)), signature);
		if (signer != sender) revert SignatureIsNotTheSendersForThisNonce(signer, nonce);
		book.used[key] = true;
	}

	/// @dev OpenZeppelin refuses the malleable half of the signatures (high s); here v may be 0 or 1, too.
	function _signer(bytes32 digest, bytes calldata signature) private pure returns (address signer) {
		if (signature.length != 65) revert SignatureMustHave65Bytes(signature.length);
		uint8 v = uint8(signature[64]);
		if (v < 2) v += 27;
		(signer,,) = ECDSA.tryRecover(
			MessageHashUtils.toEthSignedMessageHash(digest), v, bytes32(signature[:32]), bytes32(signature[32:64])
		);
	}

	/// @dev Counts one relay of the caller.
	function record(Book storage book, uint256 weight) external {
		uint256 today = block.timestamp / 1 days;
		Day storage day = book.pools[today];
		Stats storage stats = book.stats[msg.sender][today];
		if (day.relays == 0) {
			day.pool = uint128(book.pool);
			day.rate = uint128(book.rate);
		}
		if (stats.relays == 0) ++day.contributors;
		++day.relays;
		day.weighted += uint64(weight);
		++stats.relays;
		stats.weighted += uint64(weight);
		emit DailyRelayRecorded(msg.sender, today, stats.relays, stats.weighted);
	}

	/// @dev Books what the caller is to be paid for a past day, of the reserve that there is.
	function claim(Book storage book, uint256 dayId, uint256 reserve) external returns (uint256 amount) {
		uint256 today = block.timestamp / 1 days;
		if (dayId >= today) revert OnlyDaysBeforeTodayCanBeClaimed(today);
		Stats storage stats = book.stats[msg.sender][dayId];
		if (stats.relays == 0) revert NothingWasRelayedThatDay(dayId);
		amount = _reward(stats, book.pools[dayId]) - stats.paid;
		if (amount == 0) revert AlreadyClaimedInFull(dayId);
		if (amount > reserve) amount = reserve;
		if (amount == 0) revert RewardReserveIsEmptyClaimLater();
		stats.paid += uint128(amount);
		book.pools[dayId].paid += uint128(amount);
		emit NodeDailyRewardClaimed(msg.sender, dayId, stats.relays, amount);
	}

	function claimable(Book storage book, address account, uint256 dayId, uint256 reserve)
		external
		view
		returns (uint256 amount)
	{
		Stats storage stats = book.stats[account][dayId];
		if (stats.relays == 0) return 0;
		amount = _reward(stats, book.pools[dayId]) - stats.paid;
		if (amount > reserve) amount = reserve;
	}

	/// @dev The deployed arithmetic, in its order. The shares of a day add up to at most its pool.
	function _reward(Stats storage stats, Day storage day) private view returns (uint256 reward) {
		uint256 pool = (uint256(day.weighted) * day.rate) / 100;
		if (pool > day.pool) pool = day.pool;
		reward = (stats.weighted * pool) / day.weighted;
		uint256 cap = (stats.relays * BASE_REWARD_PER_1000_MSG) / MESSAGES_PER_REWARD;
		if (reward > cap) reward = cap;
	}

	/// @notice The record of a day; of one without a relay yet, the pool and the rate are what the settings say now.
	function dayOf(Book storage book, uint256 dayId) external view returns (Day memory day) {
		day = book.pools[dayId];
		if (day.relays == 0 && dayId >= block.timestamp / 1 days) {
			day.pool = uint128(book.pool);
			day.rate = uint128(book.rate);
		}
	}

	function setPool(Book storage book, uint256 amount) external {
		if (amount > MAX_DAILY_POOL) revert SettingIsAboveItsBound(MAX_DAILY_POOL);
		emit DailyPoolAmountChanged(book.pool, amount);
		book.pool = amount;
	}

	function setRate(Book storage book, uint256 reward) external {
		if (reward > MAX_RELAY_REWARD) revert SettingIsAboveItsBound(MAX_RELAY_REWARD);
		emit RelayRewardChanged(book.rate, reward);
		book.rate = reward;
	}
}
