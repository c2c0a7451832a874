// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {Messages} from "./registry/Messages.sol";

/// @title Identities, blocking and messages, and the legacy relays from before RelayManager (seed 002, FEATURES 1.3 "Registry")
/// @notice Answers the deployed selectors and the seed's names. A legacy relay earns nothing and has no tier but Bronze; it is
/// here because the seed names it. Nodes register with RelayManager.
/// @dev Always: balance >= totalStaked. Not upgradeable; no call of the owner moves a stake.
contract MumbleChatRegistry is Messages, Ownable2Step, ReentrancyGuard {
	using SafeERC20 for IERC20;

	struct Relay {
		uint128 stake;
		uint64 registeredAt;
		uint64 lastHeartbeat;
		uint64 storageMB;
		uint64 day; // of uptime
		uint64 uptime; // seconds of that day
		uint32 place; // in _active
		bool active;
		string endpoint;
	}

	/// @notice A gap between heartbeats longer than this counts nothing (deployed: 6 hours).
	uint256 public constant HEARTBEAT_TIMEOUT = 6 hours;
	/// @notice What registerAsRelay(string) offers (deployed).
	uint256 public constant DEFAULT_STORAGE_MB = 50;
	/// @notice Bytes of an endpoint, and the highest stake a setting may ask. Ours.
	uint256 public constant MAX_ENDPOINT = 512;
	uint256 public constant MAX_STAKE = 10_000e18;

	IERC20 private immutable TOKEN;
	/// @notice What a legacy relay stakes; 100 MCT at first (deployed).
	uint256 public minRelayStake = 100e18;
	uint256 public totalStaked;
	address[] private _active;
	mapping(address wallet => Relay relay) private _relays;
	mapping(address wallet => bool blacklisted) public isBlacklisted;

	event RelayNodeRegistered(address indexed node, string endpoint, uint256 stakedAmount, uint256 timestamp);
	event RelayRegistered(address indexed relay, uint256 storageGB); // seed 002's name of the same
	event RelayNodeDeactivated(address indexed node, uint256 timestamp);
	event RelayDeactivated(address indexed relay); // seed 002's name of the same
	event HeartbeatReceived(address indexed node, uint256 uptimeSeconds, uint8 tier);
	event MinRelayStakeChanged(uint256 oldStake, uint256 newStake);
	event BlacklistChanged(address indexed wallet, bool blacklisted);

	error AlreadyARelay(address wallet);
	error NotARelay(address wallet);
	error WalletIsBlacklisted(address wallet);
	error EndpointMustBeAtMost512Bytes(uint256 length);
	error EndpointIsMissing();
	error StorageIsTooLarge(uint256 storageMB);
	error ArrivedShortAskTheTokenOwnerForFeeExemption(uint256 arrived, uint256 needed);
	error StakeAboveMaximum(uint256 most);
	error GiveAnAddress();

	constructor(address token, address initialOwner) Ownable(initialOwner) {
		if (token == address(0)) revert GiveAnAddress();
		TOKEN = IERC20(token);
	}

	function mctToken() external view returns (address) {
		return address(TOKEN);
	}

	// -- legacy relays -----------------------------------------------------------------------------------------------

	function registerAsRelay(string calldata endpoint, uint256 storageMB) external {
		if (bytes(endpoint).length == 0) revert EndpointIsMissing();
		_registerRelay(endpoint, storageMB);
	}

	function registerAsRelay(string calldata endpoint) external {
		if (bytes(endpoint).length == 0) revert EndpointIsMissing();
		_registerRelay(endpoint, DEFAULT_STORAGE_MB);
	}

	/// @notice Seed 002's form: no endpoint, and gigabytes.
	function registerAsRelay(uint256 storageGB) external {
		if (storageGB > type(uint32).max) revert StorageIsTooLarge(storageGB);
		_registerRelay("", storageGB * 1024);
	}

	function _registerRelay(string memory endpoint, uint256 storageMB) private onlyRegistered nonReentrant {
		Relay storage relay = _relays[msg.sender];
		if (relay.active) revert AlreadyARelay(msg.sender);
		if (isBlacklisted[msg.sender]) revert WalletIsBlacklisted(msg.sender);
		if (bytes(endpoint).length > MAX_ENDPOINT) revert EndpointMustBeAtMost512Bytes(bytes(endpoint).length);
		if (storageMB > type(uint64).max) revert StorageIsTooLarge(storageMB);
		uint256 stake = minRelayStake;
		_relays[msg.sender] = Relay({
			stake: uint128(stake),
			registeredAt: uint64(block.timestamp),
			lastHeartbeat: uint64(block.timestamp),
			storageMB: uint64(storageMB),
			day: uint64(block.timestamp / 1 days),
			uptime: 0,
			place: uint32(_active.length),
			active: true,
			endpoint: endpoint
		});
		_active.push(msg.sender);
		totalStaked += stake;
		emit RelayNodeRegistered(msg.sender, endpoint, stake, block.timestamp);
		emit RelayRegistered(msg.sender, storageMB / 1024);
		uint256 before = TOKEN.balanceOf(address(this));
		TOKEN.safeTransferFrom(msg.sender, address(this), stake);
		uint256 arrived = TOKEN.balanceOf(address(this)) - before;
		if (arrived != stake) revert ArrivedShortAskTheTokenOwnerForFeeExemption(arrived, stake);
	}

	/// @notice Stops relaying and returns the stake; also to one who is blacklisted or has left.
	function deactivateRelay() external nonReentrant {
		Relay storage relay = _ownRelay();
		uint256 stake = relay.stake;
		address last = _active[_active.length - 1];
		_active[relay.place] = last;
		_relays[last].place = relay.place;
		_active.pop();
		relay.active = false;
		relay.stake = 0;
		totalStaked -= stake;
		emit RelayNodeDeactivated(msg.sender, block.timestamp);
		emit RelayDeactivated(msg.sender);
		TOKEN.safeTransfer(msg.sender, stake);
	}

	function heartbeat() external {
		_beat();
	}

	/// @notice Seed 002's name of heartbeat.
	function recordUptime() external {
		_beat();
	}

	function _beat() private {
		Relay storage relay = _ownRelay();
		uint64 today = uint64(block.timestamp / 1 days);
		uint64 uptime = relay.day == today ? relay.uptime : 0;
		uint64 gap = uint64(block.timestamp) - relay.lastHeartbeat;
		if (gap <= HEARTBEAT_TIMEOUT) uptime += gap;
		relay.day = today;
		relay.uptime = uptime;
		relay.lastHeartbeat = uint64(block.timestamp);
		emit HeartbeatReceived(msg.sender, uptime, 0);
	}

	function _ownRelay() private view returns (Relay storage relay) {
		relay = _relays[msg.sender];
		if (!relay.active) revert NotARelay(msg.sender);
	}

	// -- what it says ------------------------------------------------------------------------------------------------

	/// @notice The 11 fields of the deployed getRelayNode.
	function getRelayNode(address node)
		external
		view
		returns (
			string memory endpoint,
			uint256 stakedAmount,
			uint256 messagesRelayed,
			uint256 rewardsEarned,
			bool isActive,
			uint256 dailyUptimeSeconds,
			uint256 storageMB,
			uint8 tier,
			uint256 rewardMultiplier,
			bool isOnline,
			uint256 registeredAt
		)
	{
		Relay storage relay = _relays[node];
		endpoint = relay.endpoint;
		stakedAmount = relay.stake;
		isActive = relay.active;
		dailyUptimeSeconds = relay.day == block.timestamp / 1 days ? relay.uptime : 0;
		storageMB = relay.storageMB;
		rewardMultiplier = 100; // a legacy relay relays nothing that is counted, and stays Bronze
		isOnline = isNodeOnline(node);
		registeredAt = relay.registeredAt;
		messagesRelayed = rewardsEarned = tier = 0;
	}

	/// @notice Seed 002's getRelayInfo: the record as one tuple.
	function getRelayInfo(address relay) external view returns (Relay memory) {
		return _relays[relay];
	}

	/// @notice Always Bronze: tiers are RelayManager's.
	function getTier(address) external pure returns (uint8) {
		return 0;
	}

	function isActiveRelay(address relay) external view returns (bool) {
		return _relays[relay].active;
	}

	function isNodeOnline(address node) public view returns (bool) {
		return _relays[node].active && block.timestamp - _relays[node].lastHeartbeat <= HEARTBEAT_TIMEOUT;
	}

	function getActiveRelayNodes() external view returns (address[] memory) {
		return _active;
	}

	/// @notice Seed 002's name of getActiveRelayNodes.
	function getActiveRelays() external view returns (address[] memory) {
		return _active;
	}

	function totalRelayNodes() external view returns (uint256) {
		return _active.length;
	}

	function version() external pure returns (string memory) {
		return "warren-1";
	}

	// -- settings ----------------------------------------------------------------------------------------------------

	/// @notice What later relays stake.
	function setMinRelayStake(uint256 newStake) external onlyOwner {
		if (newStake > MAX_STAKE) revert StakeAboveMaximum(MAX_STAKE);
		emit MinRelayStakeChanged(minRelayStake, newStake);
		minRelayStake = newStake;
	}

	function blacklistAddress(address wallet) external onlyOwner {
		isBlacklisted[wallet] = true;
		emit BlacklistChanged(wallet, true);
	}

	function removeFromBlacklist(address wallet) external onlyOwner {
		isBlacklisted[wallet] = false;
		emit BlacklistChanged(wallet, false);
	}
}
