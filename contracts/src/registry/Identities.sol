// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Names} from "./Names.sol";

/// @title Who is who: a wallet's X25519 key and name, and whom it blocks (seed 002, FEATURES 1.3 "Registry")
abstract contract Identities {
	struct Identity {
		bytes32 publicKeyX;
		uint64 registeredAt;
		uint64 lastUpdated;
		bool active;
		string displayName;
	}

	/// @notice Wallets that one wallet may block. Ours.
	uint256 public constant MAX_BLOCKED = 1000;

	uint256 public totalUsers;
	mapping(address wallet => Identity identity) private _identities;
	mapping(address wallet => address[] blocked) private _blocked;
	mapping(address wallet => mapping(address blocked => uint256 place)) private _place; // from 1; 0: not blocked

	event IdentityRegistered(address indexed wallet, bytes32 publicKeyX, uint256 timestamp);
	event UserRegistered(address indexed user, string username); // seed 002's name of the same
	event IdentityUpdated(address indexed wallet, bytes32 newPublicKeyX, uint256 timestamp);
	event DisplayNameUpdated(address indexed wallet, string newDisplayName);
	event IdentityDeactivated(address indexed wallet, uint256 timestamp);
	event UserBlocked(address indexed blocker, address indexed blocked, uint256 timestamp);
	event UserUnblocked(address indexed blocker, address indexed unblocked, uint256 timestamp);

	error AlreadyRegistered(address wallet);
	error RegisterYourIdentityFirst(address wallet);
	error NotRegistered(address wallet);
	error PublicKeyMustNotBeZero();
	error YouCannotBlockYourselfOrNobody();
	error AlreadyBlocked(address wallet);
	error NotBlocked(address wallet);
	error TooManyBlockedUnblockSome(uint256 most);

	modifier onlyRegistered() {
		if (!_identities[msg.sender].active) revert RegisterYourIdentityFirst(msg.sender);
		_;
	}

	// -- identity ----------------------------------------------------------------------------------------------------

	/// @notice Registers the caller (deployed), with a name of 3 to 32 characters. One who left may come back.
	function register(bytes32 publicKeyX, string calldata displayName) external {
		_register(publicKeyX, displayName);
	}

	/// @notice The same in the other order that seed 002 prints.
	function register(string calldata username, bytes32 publicKey) external {
		_register(publicKey, username);
	}

	function _register(bytes32 publicKey, string calldata name) private {
		Identity storage identity = _identities[msg.sender];
		if (identity.active) revert AlreadyRegistered(msg.sender);
		if (publicKey == 0) revert PublicKeyMustNotBeZero();
		Names.check(name);
		identity.publicKeyX = publicKey;
		identity.displayName = name;
		identity.registeredAt = uint64(block.timestamp);
		identity.lastUpdated = uint64(block.timestamp);
		identity.active = true;
		++totalUsers;
		emit IdentityRegistered(msg.sender, publicKey, block.timestamp);
		emit UserRegistered(msg.sender, name);
	}

	function updatePublicKey(bytes32 newPublicKeyX) external onlyRegistered {
		if (newPublicKeyX == 0) revert PublicKeyMustNotBeZero();
		_identities[msg.sender].publicKeyX = newPublicKeyX;
		_identities[msg.sender].lastUpdated = uint64(block.timestamp);
		emit IdentityUpdated(msg.sender, newPublicKeyX, block.timestamp);
	}

	function updateDisplayName(string calldata newDisplayName) external {
		_rename(newDisplayName);
	}

	/// @notice Seed 002's name of updateDisplayName.
	function updateUsername(string calldata newUsername) external {
		_rename(newUsername);
	}

	function _rename(string calldata name) private onlyRegistered {
		Names.check(name);
		_identities[msg.sender].displayName = name;
		_identities[msg.sender].lastUpdated = uint64(block.timestamp);
		emit DisplayNameUpdated(msg.sender, name);
	}

	function deactivate() external onlyRegistered {
		_identities[msg.sender].active = false;
		--totalUsers;
		emit IdentityDeactivated(msg.sender, block.timestamp);
	}

	function isRegistered(address wallet) public view returns (bool) {
		return _identities[wallet].active;
	}

	/// @notice Reverts for a wallet that is not registered (deployed).
	function getPublicKey(address wallet) external view returns (bytes32) {
		if (!_identities[wallet].active) revert NotRegistered(wallet);
		return _identities[wallet].publicKeyX;
	}

	function getUsername(address wallet) external view returns (string memory) {
		return _identities[wallet].displayName;
	}

	function getIdentity(address wallet)
		external
		view
		returns (
			bytes32 publicKeyX,
			uint256 registeredAt,
			uint256 lastUpdated,
			bool isActive,
			string memory displayName
		)
	{
		Identity storage identity = _identities[wallet];
		return (
			identity.publicKeyX,
			identity.registeredAt,
			identity.lastUpdated,
			identity.active,
			identity.displayName
		);
	}

	// -- blocking ----------------------------------------------------------------------------------------------------

	function blockUser(address userToBlock) external onlyRegistered {
		if (userToBlock == msg.sender || userToBlock == address(0)) revert YouCannotBlockYourselfOrNobody();
		if (_place[msg.sender][userToBlock] != 0) revert AlreadyBlocked(userToBlock);
		address[] storage list = _blocked[msg.sender];
		if (list.length >= MAX_BLOCKED) revert TooManyBlockedUnblockSome(MAX_BLOCKED);
		list.push(userToBlock);
		_place[msg.sender][userToBlock] = list.length;
		emit UserBlocked(msg.sender, userToBlock, block.timestamp);
	}

	function unblockUser(address userToUnblock) external onlyRegistered {
		uint256 place = _place[msg.sender][userToUnblock];
		if (place == 0) revert NotBlocked(userToUnblock);
		address[] storage list = _blocked[msg.sender];
		address last = list[list.length - 1];
		list[place - 1] = last;
		_place[msg.sender][last] = place;
		list.pop();
		delete _place[msg.sender][userToUnblock];
		emit UserUnblocked(msg.sender, userToUnblock, block.timestamp);
	}

	function isBlocked(address blocker, address blocked) public view returns (bool) {
		return _place[blocker][blocked] != 0;
	}

	function getBlockedUsers(address user) external view returns (address[] memory) {
		return _blocked[user];
	}

	function getBlockedUsersCount(address user) external view returns (uint256) {
		return _blocked[user].length;
	}

	function canSendMessage(address sender, address recipient) public view returns (bool) {
		return isRegistered(sender) && isRegistered(recipient) && !isBlocked(recipient, sender);
	}
}
