// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IIdentities, Nodes} from "./Nodes.sol";
import {Pooling} from "./Pooling.sol";

/// @title Relay proofs, and the daily pool that pays for them (FEATURES 1.3 "Relay proof", "Daily pool")
abstract contract Relays is Nodes {
	using Pooling for Pooling.Book;

	/// @notice Seconds between two proofs of a wallet (deployed).
	uint256 public constant RELAY_PROOF_COOLDOWN = 10 seconds;

	Pooling.Book private _pool;

	event RelayProofSubmitted(
		address indexed relayNode,
		bytes32 indexed messageHash,
		address sender,
		address recipient,
		uint256 reward,
		uint256 timestamp
	);

	error NodeIsOfflineSendAHeartbeat(bytes32 nodeId, uint256 lastHeartbeat);
	error WaitBetweenProofs(uint256 until);
	error SenderIsNotRegistered(address sender);
	error OwnMessagesDoNotCount();
	error OnlyTodaysUptimeIsKnown(uint256 today);
	error ThePoolIsThatOfTheContract(uint256 pool);

	constructor() {
		_pool.pool = 100e18; // seed 002
		_pool.rate = 1e15; // deployed
	}

	/// @notice Records one relayed message that its sender signed for this wallet's next nonce.
	/// @param senderSignature 65 bytes, v 0, 1, 27 or 28, over the EIP-191 form of
	/// keccak256(messageHash | nodeId | timestamp, 32 | nonce, 32).
	function submitRelayProof(
		bytes32 nodeId,
		bytes32 messageHash,
		address sender,
		address recipient,
		uint256 timestamp,
		bytes calldata senderSignature
	) external nonReentrant {
		_checkMayRelay(nodeId, sender);
		Wallet storage wallet = _wallets[msg.sender];
		_pool.prove(nodeId, messageHash, sender, recipient, timestamp, wallet.proofNonce, senderSignature);
		++wallet.proofNonce;
		wallet.lastProof = uint40(block.timestamp);
		uint256 score = _reputation(wallet);
		if (score < MAX_REPUTATION) _setReputation(msg.sender, score + 1);
		Node storage node = _nodes[nodeId];
		++node.relayed;
		_pool.record(getMultiplierForTier(node.tier));
		emit RelayProofSubmitted(msg.sender, messageHash, sender, recipient, 0, timestamp);
	}

	function _checkMayRelay(bytes32 nodeId, address sender) private view {
		_ownNode(nodeId);
		Node storage node = _activeNode(nodeId);
		if (!_isOnline(node)) revert NodeIsOfflineSendAHeartbeat(nodeId, node.lastHeartbeat);
		Wallet storage wallet = _wallets[msg.sender];
		if (wallet.blacklisted) revert WalletIsBlacklisted(msg.sender);
		uint256 next = wallet.lastProof + RELAY_PROOF_COOLDOWN;
		if (block.timestamp < next) revert WaitBetweenProofs(next);
		if (sender == msg.sender) revert OwnMessagesDoNotCount();
		if (!IIdentities(registry).isRegistered(sender)) revert SenderIsNotRegistered(sender);
	}

	/// @notice Pays the caller's reward of a past day. When the reserve does not hold all of it, it pays what there is, and the
	/// rest can be claimed later (deployed: lost, or paid out of the stakes of others).
	function claimDailyPoolReward(uint256 dayId) external nonReentrant {
		uint256 amount = _pool.claim(dayId, rewardReserve);
		rewardReserve -= amount;
		_wallets[msg.sender].earned += uint128(amount);
		_pay(msg.sender, amount);
	}

	/// @notice Exactly what claimDailyPoolReward would pay now, or, of today, after the day with no further relay of anybody:
	/// with the cap, what was paid already, and the reserve taken into account. Deployed, the cap was left out.
	function getClaimableReward(address account, uint256 dayId) external view returns (uint256) {
		return _pool.claimable(account, dayId, rewardReserve);
	}

	function getTodayPoolInfo()
		external
		view
		returns (
			uint256 dayId,
			uint256 totalRelays,
			uint256 totalWeightedRelays,
			uint256 poolAmount,
			uint256 numContributors
		)
	{
		dayId = block.timestamp / 1 days;
		Pooling.Day memory day = _pool.dayOf(dayId);
		return (dayId, day.relays, day.weighted, day.pool, day.contributors);
	}

	/// @notice A day's relays, contributors, weights, pool, rate, and what of it is paid.
	function getDay(uint256 dayId) external view returns (Pooling.Day memory) {
		return _pool.dayOf(dayId);
	}

	/// @notice What a wallet relayed on a day, and was paid for it.
	function nodeDailyStats(address account, uint256 dayId) external view returns (Pooling.Stats memory) {
		return _pool.stats[account][dayId];
	}

	function relayProofClaimed(bytes32 key) external view returns (bool) {
		return _pool.used[key];
	}

	function dailyPoolAmount() external view returns (uint256) {
		return _pool.pool;
	}

	function relayRewardPerMessage() external view returns (uint256) {
		return _pool.rate;
	}

	/// @notice What a tier's part of today's pool would be for the node's uptime so far, and what is missing of it. A figure to
	/// look at; nothing is paid by it. Deployed, it wrote state for a pool of the caller's choice.
	/// @param dailyPool 0, or the contract's own pool of today.
	function calculateTierRewardWithUptime(bytes32 nodeId, uint256 dayId, uint256 dailyPool)
		external
		view
		returns (uint256 actualReward, uint256 missedReward)
	{
		Node storage node = _activeNode(nodeId);
		uint256 today = block.timestamp / 1 days;
		if (dayId != today) revert OnlyTodaysUptimeIsKnown(today);
		uint256 pool = _pool.dayOf(today).pool;
		if (dailyPool != 0 && dailyPool != pool) revert ThePoolIsThatOfTheContract(pool);
		uint256 part = (pool * getFeePercentForTier(node.tier)) / 100;
		uint256 needed = getUptimeForTier(node.tier);
		uint256 uptime = getUptimeToday(nodeId);
		uint256 percent = uptime >= needed ? 100 : (uptime * 100) / needed;
		actualReward = (part * percent) / 100;
		missedReward = part - actualReward;
	}

	/// @notice The pool of the days from tomorrow on (of today, as long as nothing was relayed); 100 MCT at first, and at most.
	function setDailyPoolAmount(uint256 newAmount) external onlyOwner {
		_pool.setPool(newAmount);
	}

	/// @notice What a relay of weight 100 earns of the pool before the cap; 0.001 MCT at first, at most 1 MCT.
	function setRelayRewardPerMessage(uint256 newReward) external onlyOwner {
		_pool.setRate(newReward);
	}
}
