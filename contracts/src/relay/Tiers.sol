// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The four tiers: the one place of these numbers (seed 002; FEATURES 1.3 "Constants")
abstract contract Tiers {
	enum NodeTier {
		Bronze,
		Silver,
		Gold,
		Platinum
	}

	/// @notice What a node of a tier stakes, in wei of MCT.
	function getStakeForTier(NodeTier tier) public pure returns (uint256) {
		return (uint256(tier) + 1) * 100e18; // 100, 200, 300, 400 MCT
	}

	/// @notice The seconds of uptime that a UTC day needs for the tier.
	function getUptimeForTier(NodeTier tier) public pure returns (uint256) {
		return (uint256(tier) + 1) * 4 hours; // 4, 8, 12, 16 hours
	}

	/// @notice The percent of a day's pool that a full day of the tier is measured by.
	function getFeePercentForTier(NodeTier tier) public pure returns (uint256) {
		return (uint256(tier) + 1) * 10; // 10, 20, 30, 40
	}

	/// @notice The MiB a node of the tier must offer.
	function getStorageForTier(NodeTier tier) public pure returns (uint256) {
		return 1024 << uint256(tier); // 1, 2, 4, 8 GiB
	}

	/// @notice The weight of a relay, in 1/100.
	function getMultiplierForTier(NodeTier tier) public pure returns (uint256) {
		if (tier == NodeTier.Platinum) return 300;
		return 100 + uint256(tier) * 50; // 100, 150, 200
	}

	/// @notice The whole table, Bronze first.
	function getTierInfo()
		external
		pure
		returns (
			uint256[4] memory stakes,
			uint256[4] memory uptimes,
			uint256[4] memory storages,
			uint256[4] memory feePercents,
			uint256[4] memory multipliers
		)
	{
		for (uint256 i = 0; i < 4; ++i) {
			NodeTier tier = NodeTier(i);
			stakes[i] = getStakeForTier(tier);
			uptimes[i] = getUptimeForTier(tier);
			storages[i] = getStorageForTier(tier);
			feePercents[i] = getFeePercentForTier(tier);
			multipliers[i] = getMultiplierForTier(tier);
		}
	}

	/// @dev The highest tier for which uptime, storage and stake all suffice; Bronze when none does.
	function _tierFor(uint256 uptime, uint256 storageMB, uint256 stake) internal pure returns (NodeTier) {
		for (uint256 i = 3; i > 0; --i) {
			NodeTier tier = NodeTier(i);
			if (
				uptime >= getUptimeForTier(tier) && storageMB >= getStorageForTier(tier) && stake >= getStakeForTier(tier)
			) return tier;
		}
		return NodeTier.Bronze;
	}
}
