// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Identities} from "./Identities.sol";

/// @title Messages on the chain (seed 002; the deployed registry has none of it)
/// @dev Ciphertext only: nonce 12, ciphertext, tag 16. A recipient has at most MAX_INBOX messages and at most MAX_UNREAD unread
/// ones of one sender (FEATURES E6), so nobody's inbox is filled by one stranger; what was read can be deleted.
abstract contract Messages is Identities {
	struct Message {
		uint256 id;
		address from;
		address to;
		uint64 timestamp;
		bool read;
		bytes ciphertext;
	}

	/// @notice Bytes of a message: at least nonce and tag of AES-256-GCM; at most 4 KiB, ours.
	uint256 public constant MIN_CIPHERTEXT = 28;
	uint256 public constant MAX_CIPHERTEXT = 4096;
	/// @notice Messages in an inbox; unread ones of one sender in it (FEATURES E6).
	uint256 public constant MAX_INBOX = 1000;
	uint256 public constant MAX_UNREAD = 50;

	uint256 public messageCount;
	mapping(uint256 id => Message message) private _messages;
	mapping(address to => uint256[] ids) private _inbox;
	mapping(uint256 id => uint256 place) private _inboxPlace; // from 0
	mapping(address from => mapping(address to => uint256 count)) public unreadFrom;

	event MessageSent(address indexed from, address indexed to, uint256 id);
	event MessageRead(address indexed to, uint256 indexed id);
	event MessageDeleted(address indexed to, uint256 indexed id);

	error RecipientDoesNotTakeMessagesFromYou(address recipient);
	error CiphertextMustBe28To4096Bytes(uint256 length);
	error InboxIsFullTheRecipientMustDelete(uint256 most);
	error WaitUntilTheRecipientHasRead(uint256 unread);
	error MessageIsNotYours(uint256 id);
	error MessageWasReadBefore(uint256 id);

	function sendMessage(address to, bytes calldata ciphertext) external returns (uint256 id) {
		if (!canSendMessage(msg.sender, to)) revert RecipientDoesNotTakeMessagesFromYou(to);
		if (ciphertext.length < MIN_CIPHERTEXT || ciphertext.length > MAX_CIPHERTEXT) {
			revert CiphertextMustBe28To4096Bytes(ciphertext.length);
		}
		if (_inbox[to].length >= MAX_INBOX) revert InboxIsFullTheRecipientMustDelete(MAX_INBOX);
		if (unreadFrom[msg.sender][to] >= MAX_UNREAD) revert WaitUntilTheRecipientHasRead(MAX_UNREAD);
		id = ++messageCount;
		_messages[id] = Message(id, msg.sender, to, uint64(block.timestamp), false, ciphertext);
		_inboxPlace[id] = _inbox[to].length;
		_inbox[to].push(id);
		++unreadFrom[msg.sender][to];
		emit MessageSent(msg.sender, to, id);
	}

	function markMessageRead(uint256 messageId) external {
		Message storage message = _own(messageId);
		if (message.read) revert MessageWasReadBefore(messageId);
		_read(message);
	}

	/// @notice Takes a message out of the inbox for good, which gives back gas for its storage.
	function deleteMessage(uint256 messageId) external {
		Message storage message = _own(messageId);
		if (!message.read) _read(message);
		uint256[] storage ids = _inbox[msg.sender];
		uint256 place = _inboxPlace[messageId];
		uint256 last = ids[ids.length - 1];
		ids[place] = last;
		_inboxPlace[last] = place;
		ids.pop();
		delete _inboxPlace[messageId];
		delete _messages[messageId];
		emit MessageDeleted(msg.sender, messageId);
	}

	function _read(Message storage message) private {
		message.read = true;
		--unreadFrom[message.from][msg.sender];
		emit MessageRead(msg.sender, message.id);
	}

	function _own(uint256 id) private view returns (Message storage message) {
		message = _messages[id];
		if (message.to != msg.sender) revert MessageIsNotYours(id);
	}

	/// @notice All messages of an inbox. For a long one, by pages: getMessagesFrom.
	function getMessages(address user) external view returns (Message[] memory) {
		return getMessagesFrom(user, 0, MAX_INBOX);
	}

	function getMessagesFrom(address user, uint256 from, uint256 most) public view returns (Message[] memory messages) {
		uint256[] storage ids = _inbox[user];
		uint256 count = from < ids.length ? ids.length - from : 0;
		if (count > most) count = most;
		messages = new Message[](count);
		for (uint256 i = 0; i < count; ++i) messages[i] = _messages[ids[from + i]];
	}

	function getInboxSize(address user) external view returns (uint256) {
		return _inbox[user].length;
	}
}
