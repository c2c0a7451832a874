// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The book of open reports
/// @dev A library of its own because RelayManager with it would not fit into EIP-170's 24,576 bytes. Its functions run in
/// RelayManager's storage and by its rules; who may call, and the money, are in Reports.sol.
library Reporting {
	struct Report {
		bytes32 nodeId;
		address wallet;
		address reporter;
		uint40 opened;
		uint128 bond;
	}

	struct Book {
		uint256 count;
		uint256 bond;
		mapping(uint256 id => Report report) reports;
		mapping(address reporter => mapping(address wallet => uint256 id)) opened;
	}

	/// @notice How long a report can be judged. Ours.
	uint256 internal constant REPORT_TIME = 7 days;

	event ViolationReported(address indexed node, address reporter, string reason);
	event ReportOpened(uint256 indexed id, bytes32 indexed nodeId, address indexed reporter, uint256 bond);
	event ReportUpheld(uint256 indexed id, bytes32 indexed nodeId);
	event ReportRejected(uint256 indexed id, bytes32 indexed nodeId, uint256 bond);
	event ReportWithdrawn(uint256 indexed id, bytes32 indexed nodeId);

	error YouCannotReportYourself();
	error YourReportIsStillOpen(uint256 id);
	error NoSuchOpenReport(uint256 id);
	error ReportIsVoidTheReporterMayWithdraw(uint256 since);
	error OnlyTheReporterMayWithdraw(address reporter);
	error WaitForTheJudgement(uint256 until);
	error GiveAReasonOf1To256Bytes(uint256 length);

	function open(Book storage book, bytes32 nodeId, address wallet, string calldata reason)
		external
		returns (uint256 bond)
	{
		if (wallet == msg.sender) revert YouCannotReportYourself();
		if (bytes(reason).length == 0 || bytes(reason).length > 256) revert GiveAReasonOf1To256Bytes(bytes(reason).length);
		uint256 id = book.opened[msg.sender][wallet];
		if (id != 0) revert YourReportIsStillOpen(id);
		id = ++book.count;
		bond = book.bond;
		book.reports[id] = Report({
			nodeId: nodeId,
			wallet: wallet,
			reporter: msg.sender,
			opened: uint40(block.timestamp),
			bond: uint128(bond)
		});
		book.opened[msg.sender][wallet] = id;
		emit ViolationReported(wallet, msg.sender, reason);
		emit ReportOpened(id, nodeId, msg.sender, bond);
	}

	/// @dev Closes a report by judgement; the bond is to be paid to the reporter when upheld, else to the wallet.
	function judge(Book storage book, uint256 id, bool upheld) external returns (Report memory report) {
		report = _close(book, id);
		if (block.timestamp > report.opened + REPORT_TIME) {
			revert ReportIsVoidTheReporterMayWithdraw(report.opened + REPORT_TIME);
		}
		if (upheld) emit ReportUpheld(id, report.nodeId);
		else emit ReportRejected(id, report.nodeId, report.bond);
	}

	/// @dev Closes a report that was not judged in time.
	function withdraw(Book storage book, uint256 id) external returns (uint256 bond) {
		Report memory report = _close(book, id);
		if (report.reporter != msg.sender) revert OnlyTheReporterMayWithdraw(report.reporter);
		if (block.timestamp <= report.opened + REPORT_TIME) revert WaitForTheJudgement(report.opened + REPORT_TIME);
		emit ReportWithdrawn(id, report.nodeId);
		return report.bond;
	}

	function _close(Book storage book, uint256 id) private returns (Report memory report) {
		report = book.reports[id];
		if (report.reporter == address(0)) revert NoSuchOpenReport(id);
		delete book.reports[id];
		delete book.opened[report.reporter][report.wallet];
	}
}
