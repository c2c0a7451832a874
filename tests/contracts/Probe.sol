// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

interface IToken {
	function balanceOf(address account) external view returns (uint256);
	function totalSupply() external view returns (uint256);
	function maxSupply() external view returns (uint256);
	function feePool() external view returns (uint256);
	function activeRelayCount() external view returns (uint256);
}

interface ILegacy {
	function totalStaked() external view returns (uint256);
}

interface IManager is ILegacy {
	struct Day {
		uint32 relays;
		uint32 contributors;
		uint64 weighted;
		uint128 pool;
		uint128 rate;
		uint128 paid;
	}

	function totalBonds() external view returns (uint256);
	function rewardReserve() external view returns (uint256);
	function totalRelayNodes() external view returns (uint256);
	function getWalletNodeIds(address wallet) external view returns (bytes32[] memory);
	function getActiveNodeIds() external view returns (bytes32[] memory, address[] memory);
	function getDay(uint256 day) external view returns (Day memory);
	function getNodeByNodeId(bytes32 nodeId)
		external
		view
		returns (
			address,
			bytes32,
			uint256,
			string memory,
			uint256,
			uint256,
			uint256,
			bool,
			uint256,
			uint256,
			uint8,
			bool,
			uint256
		);
}

/// @title What the invariants are about, read in one call. It is on no chain: eth_call puts it somewhere for its time.
contract Probe {
	struct Seen {
		uint256[12] sums;
		uint256[4] paidAndPool; // of today and yesterday
		bytes32[] ids;
		uint256[] stakes;
	}

	function look(IToken token, IManager relays, ILegacy registry, address[] calldata people)
		external
		view
		returns (Seen memory seen)
	{
		uint256 held = token.balanceOf(address(token)) + token.balanceOf(address(relays)) + token.balanceOf(address(registry));
		for (uint256 i = 0; i < people.length; ++i) held += token.balanceOf(people[i]);
		seen.sums = [
			token.balanceOf(address(relays)),
			relays.totalStaked(),
			relays.totalBonds(),
			relays.rewardReserve(),
			token.totalSupply(),
			token.maxSupply(),
			token.balanceOf(address(token)),
			token.feePool(),
			token.balanceOf(address(registry)),
			registry.totalStaked(),
			held,
			0
		];
		IManager.Day memory today = relays.getDay(block.timestamp / 1 days);
		IManager.Day memory yesterday = relays.getDay(block.timestamp / 1 days - 1);
		seen.paidAndPool = [uint256(today.paid), today.pool, yesterday.paid, yesterday.pool];
		(seen.ids, seen.stakes, seen.sums[11]) = _stakes(relays, people);
		(bytes32[] memory active,) = relays.getActiveNodeIds();
		require(active.length == seen.sums[11], "the list of active nodes is wrong");
		require(relays.totalRelayNodes() == seen.sums[11], "the number of active nodes is wrong");
		require(token.activeRelayCount() == seen.sums[11], "the token was told another number of nodes");
	}

	function _stakes(IManager relays, address[] calldata people)
		private
		view
		returns (bytes32[] memory ids, uint256[] memory stakes, uint256 active)
	{
		ids = new bytes32[](people.length * 4);
		stakes = new uint256[](people.length * 4);
		for (uint256 i = 0; i < people.length; ++i) {
			bytes32[] memory own = relays.getWalletNodeIds(people[i]);
			for (uint256 k = 0; k < own.length; ++k) {
				bool on;
				ids[i * 4 + k] = own[k];
				(,,,, stakes[i * 4 + k],,, on,,,,,) = relays.getNodeByNodeId(own[k]);
				if (on) ++active;
			}
		}
	}
}
