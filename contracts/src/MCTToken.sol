// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";

import {IRelays} from "./IRelays.sol";
import {MaxSupplyVote} from "./MaxSupplyVote.sol";

/// @title The token that nodes stake and earn (seed 002, FEATURES 1.3 "MCT token")
/// @notice A capped ERC-20 with a fee on transfers that collects in a pool for the relays, and rewards that halve.
/// @dev Holds only the fee pool: balanceOf(this) >= feePool. The owner may mint up to maxSupply and choose the fee within
/// MAX_FEE_BPS; nothing here lets the owner move a balance. Not upgradeable.
contract MCTToken is ERC20, ERC20Burnable, Ownable2Step, MaxSupplyVote {
	/// @notice What the deployer holds at the beginning (deployed V3).
	uint256 public constant INITIAL_SUPPLY = 1_000e18;
	/// @notice For each 1,000 messages, before any halving (deployed V3).
	uint256 public constant BASE_REWARD_PER_1000_MSG = 1e15;
	/// @notice The reward never halves below this (deployed V3).
	uint256 public constant MIN_REWARD_PER_1000_MSG = 1e13;
	/// @notice Rewards minted between two halvings (deployed V3).
	uint256 public constant HALVING_THRESHOLD = 100_000e18;
	/// @notice More halvings than these do not count (deployed V3).
	uint256 public constant MAX_HALVINGS = 10;
	/// @notice Rewards minted in one UTC day (deployed V3).
	uint256 public constant DAILY_MINT_CAP = 100e18;
	/// @notice Messages in a batch (deployed V3).
	uint256 public constant MESSAGES_PER_REWARD = 1000;
	/// @notice Batches in one call, and relays in one batch call (deployed V3: 100 and 50).
	uint256 public constant MAX_BATCHES = 100;
	uint256 public constant MAX_RELAYS_PER_CALL = 50;
	/// @notice The highest transfer fee a setting may reach: 1 %. Ours; the deployed fee is fixed at 10.
	uint256 public constant MAX_FEE_BPS = 100;

	/// @notice Taken out of each transfer, in 1/10,000; 10 (0.1 %) at the beginning, as deployed.
	uint256 public transferFeeBps = 10;
	/// @notice Fees that wait for the relays.
	uint256 public feePool;
	/// @notice Rewards minted so far; what the halvings count.
	uint256 public totalRewardsMinted;
	/// @notice The UTC day (unix time / 86,400) that mintedToday is of.
	uint256 public currentDay;
	uint256 public mintedToday;
	/// @notice The one contract that says who relays: RelayManager.
	address public registryContract;
	/// @notice Active nodes, as that contract says.
	uint256 public activeRelayCount;
	/// @notice Transfers from and to these take no fee: stakes must arrive whole.
	mapping(address account => bool exempt) public feeExempt;
	/// @notice The block of an account's last share of the fee pool (seed 002).
	mapping(address account => uint256 number) public lastClaimBlock;
	mapping(address account => uint256 day) private _lastClaimDay;

	event RelayRewardMinted(address indexed relayNode, uint256 amount, uint256 messagesRelayed);
	event HalvingOccurred(uint256 newRewardAmount, uint256 halvingCount);
	event TransferFeeCollected(uint256 amount);
	event FeeCollected(uint256 amount); // seed 002's name of the same
	event FeeRewardClaimed(address indexed relayNode, uint256 amount);
	event RewardClaimed(address indexed user, uint256 amount); // seed 002's name of the same
	event FeePoolFunded(address indexed from, uint256 amount);
	event TransferFeeChanged(uint256 oldBps, uint256 newBps);
	event FeeExemptionChanged(address indexed account, bool exempt);
	event RegistryContractChanged(address indexed oldContract, address indexed newContract);
	event ActiveRelayCountChanged(uint256 count);

	error OnlyTheRelayManagerMayCallThis(address relayManager);
	error SetTheRelayManagerFirst();
	error WouldExceedMaxSupply(uint256 maxSupply, uint256 wanted);
	error FeeAboveMaximum(uint256 maximumBps);
	error GiveOneToHundredBatches(uint256 given);
	error GiveOneBatchCountPerRelayAtMostFifty(uint256 relays, uint256 counts);
	error MultiplierMustBe100To300(uint256 given);
	error RegisterAnActiveNodeFirst(address account);
	error FeeShareAlreadyTakenToday(uint256 nextDay);
	error FeePoolIsEmpty();
	error TheRelayManagerIsNamedForGood(address relayManager);
	error GiveAnAddress();

	modifier onlyRelayManager() {
		if (msg.sender != registryContract) revert OnlyTheRelayManagerMayCallThis(registryContract);
		_;
	}

	constructor(address initialOwner) ERC20("MumbleChat Token", "MCT") Ownable(initialOwner) {
		currentDay = block.timestamp / 1 days;
		_mint(initialOwner, INITIAL_SUPPLY);
	}

	// -- transfers ---------------------------------------------------------------------------------------------------

	/// @inheritdoc ERC20
	/// @dev The fee is taken out of the amount: the receiver gets amount - feeOn(from, to, amount).
	function transfer(address to, uint256 amount) public override returns (bool) {
		_transferWithFee(msg.sender, to, amount);
		return true;
	}

	/// @inheritdoc ERC20
	function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
		_spendAllowance(from, msg.sender, amount);
		_transferWithFee(from, to, amount);
		return true;
	}

	/// @notice What a transfer of amount would take as its fee.
	function feeOn(address from, address to, uint256 amount) public view returns (uint256) {
		if (feeExempt[from] || feeExempt[to]) return 0;
		return (amount * transferFeeBps) / 10_000;
	}

	function _transferWithFee(address from, address to, uint256 amount) private {
		uint256 fee = feeOn(from, to, amount);
		_transfer(from, to, amount - fee);
		if (fee == 0) return;
		feePool += fee;
		_transfer(from, address(this), fee);
		emit TransferFeeCollected(fee);
		emit FeeCollected(fee);
	}

	/// @notice Gives tokens of one's own to the fee pool. RelayManager puts what it slashed here.
	function addToFeePool(uint256 amount) external {
		feePool += amount;
		_transfer(msg.sender, address(this), amount);
		emit FeePoolFunded(msg.sender, amount);
	}

	// -- the fee pool ------------------------------------------------------------------------------------------------

	/// @notice The caller's share of the fee pool, once a UTC day: feePool / active relays * multiplier / 100 (seed 002).
	function claimFeePoolReward() external returns (uint256) {
		if (registryContract == address(0)) revert SetTheRelayManagerFirst();
		return _claimFee(msg.sender, IRelays(registryContract).feeMultiplierOf(msg.sender));
	}

	/// @notice The same on behalf of a relay, with the multiplier that its tier has (deployed).
	function claimFeeReward(address relayNode, uint256 tierMultiplier) external onlyRelayManager returns (uint256) {
		if (tierMultiplier < 100 || tierMultiplier > 300) revert MultiplierMustBe100To300(tierMultiplier);
		return _claimFee(relayNode, tierMultiplier);
	}

	/// @notice The same with multiplier 1 (deployed).
	function claimFeeReward(address relayNode) external onlyRelayManager returns (uint256) {
		return _claimFee(relayNode, 100);
	}

	function _claimFee(address account, uint256 multiplier) private returns (uint256 share) {
		if (multiplier == 0 || activeRelayCount == 0) revert RegisterAnActiveNodeFirst(account);
		uint256 today = block.timestamp / 1 days;
		if (_lastClaimDay[account] == today) revert FeeShareAlreadyTakenToday(today + 1);
		share = ((feePool / activeRelayCount) * multiplier) / 100; // the deployed order
		if (share > feePool) share = feePool;
		if (share == 0) revert FeePoolIsEmpty();
		_lastClaimDay[account] = today;
		lastClaimBlock[account] = block.number;
		feePool -= share;
		_transfer(address(this), account, share);
		emit FeeRewardClaimed(account, share);
		emit RewardClaimed(account, share);
	}

	// -- minting -----------------------------------------------------------------------------------------------------

	/// @notice Mints within maxSupply (deployed). A cap that only the relays' vote raises is what holds the owner.
	function mint(address to, uint256 amount) external onlyOwner {
		_mint(to, amount);
	}

	/// @notice Rewards a relay for batches of 1,000 messages, within the day's and the supply's cap (deployed).
	function mintRelayReward(address relayNode, uint256 batchesOf1000) external onlyOwner {
		_mintReward(relayNode, batchesOf1000);
	}

	/// @notice The same for a number of messages; what is left of 1,000 is not paid (seed 002).
	function mintForRelay(address relay, uint256 messages) external onlyOwner {
		_mintReward(relay, messages / MESSAGES_PER_REWARD);
	}

	/// @notice The same for many relays (deployed).
	function batchMintRelayRewards(address[] calldata relayNodes, uint256[] calldata batchesOf1000) external onlyOwner {
		if (relayNodes.length != batchesOf1000.length || relayNodes.length > MAX_RELAYS_PER_CALL) {
			revert GiveOneBatchCountPerRelayAtMostFifty(relayNodes.length, batchesOf1000.length);
		}
		for (uint256 i = 0; i < relayNodes.length; ++i) _mintReward(relayNodes[i], batchesOf1000[i]);
	}

	function _mintReward(address relayNode, uint256 batches) private {
		if (batches == 0 || batches > MAX_BATCHES) revert GiveOneToHundredBatches(batches);
		uint256 today = block.timestamp / 1 days;
		if (today != currentDay) {
			currentDay = today;
			mintedToday = 0;
		}
		uint256 reward = calculateRewardPer1000Messages() * batches;
		uint256 left = DAILY_MINT_CAP - mintedToday;
		if (reward > left) reward = left;
		left = maxSupply - totalSupply();
		if (reward > left) reward = left;
		uint256 halvings = getHalvingCount();
		if (reward != 0) {
			totalRewardsMinted += reward;
			mintedToday += reward;
			_mint(relayNode, reward);
		}
		emit RelayRewardMinted(relayNode, reward, batches * MESSAGES_PER_REWARD);
		if (getHalvingCount() != halvings) emit HalvingOccurred(calculateRewardPer1000Messages(), getHalvingCount());
	}

	/// @dev The one door to new tokens: the cap holds whoever mints.
	function _update(address from, address to, uint256 value) internal override {
		super._update(from, to, value);
		if (from == address(0) && totalSupply() > maxSupply) revert WouldExceedMaxSupply(maxSupply, totalSupply());
	}

	// -- what it says ------------------------------------------------------------------------------------------------

	function getHalvingCount() public view returns (uint256) {
		return totalRewardsMinted / HALVING_THRESHOLD;
	}

	function calculateRewardPer1000Messages() public view returns (uint256) {
		uint256 halvings = getHalvingCount();
		uint256 reward = BASE_REWARD_PER_1000_MSG >> (halvings < MAX_HALVINGS ? halvings : MAX_HALVINGS);
		return reward < MIN_REWARD_PER_1000_MSG ? MIN_REWARD_PER_1000_MSG : reward;
	}

	function remainingDailyMint() public view returns (uint256) {
		return block.timestamp / 1 days == currentDay ? DAILY_MINT_CAP - mintedToday : DAILY_MINT_CAP;
	}

	function canMint(uint256 amount) external view returns (bool) {
		return amount <= maxSupply - totalSupply();
	}

	function isMaxSupplyReached() public view returns (bool) {
		return totalSupply() >= maxSupply;
	}

	/// @notice Seed 002's names.
	function currentRate() external view returns (uint256) {
		return calculateRewardPer1000Messages();
	}

	function halvingLevel() external view returns (uint256) {
		return getHalvingCount();
	}

	function totalMinted() external view returns (uint256) {
		return totalRewardsMinted;
	}

	/// @notice The fee in force, by the deployed name.
	// solhint-disable-next-line func-name-mixedcase
	function TRANSFER_FEE_BPS() external view returns (uint256) {
		return transferFeeBps;
	}

	function getTokenomics()
		external
		view
		returns (
			uint256 currentSupply,
			uint256 maximum,
			uint256 rewardPer1000Msg,
			uint256 halvingCount,
			uint256 dailyRemaining,
			uint256 totalRewarded,
			uint256 fees,
			bool maxReached
		)
	{
		return (
			totalSupply(),
			maxSupply,
			calculateRewardPer1000Messages(),
			getHalvingCount(),
			remainingDailyMint(),
			totalRewardsMinted,
			feePool,
			isMaxSupplyReached()
		);
	}

	// -- settings ----------------------------------------------------------------------------------------------------

	function setTransferFeeBps(uint256 bps) external onlyOwner {
		if (bps > MAX_FEE_BPS) revert FeeAboveMaximum(MAX_FEE_BPS);
		emit TransferFeeChanged(transferFeeBps, bps);
		transferFeeBps = bps;
	}

	function setFeeExempt(address account, bool exempt) external onlyOwner {
		feeExempt[account] = exempt;
		emit FeeExemptionChanged(account, exempt);
	}

	/// @notice Names RelayManager, once and for good: it decides who votes on the cap and who shares the fee pool (deployed: the owner
	/// could name another at any time, and with it vote alone).
	function setRegistryContract(address relayManager) external onlyOwner {
		if (relayManager == address(0)) revert GiveAnAddress();
		if (registryContract != address(0)) revert TheRelayManagerIsNamedForGood(registryContract);
		emit RegistryContractChanged(address(0), relayManager);
		registryContract = relayManager;
	}

	function setActiveRelayCount(uint256 count) external onlyRelayManager {
		activeRelayCount = count;
		emit ActiveRelayCountChanged(count);
	}

	// -- the vote on the cap -----------------------------------------------------------------------------------------

	function _relays() internal view override returns (IRelays) {
		if (registryContract == address(0)) revert SetTheRelayManagerFirst();
		return IRelays(registryContract);
	}

	function _relayCount() internal view override returns (uint256) {
		return activeRelayCount;
	}

	function _supply() internal view override returns (uint256) {
		return totalSupply();
	}
}
