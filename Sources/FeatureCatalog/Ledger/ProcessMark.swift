/// A process as part of a file name: `HOST-NUMBER-START`, to tell later whether it has ended.
package struct ProcessMark {
    private let host: String
    private let processID: Int
    private let startedTicks: Int

    /// This process.
    package static let current = ProcessMark(
        host: String(ProcessIdentity.current.host.unicodeScalars.filter(isPlain).map(Character.init)),
        processID: ProcessIdentity.current.processID, startedTicks: ProcessIdentity.current.startedTicks ?? 0)

    private init(host: String, processID: Int, startedTicks: Int) {
        self.host = host
        self.processID = processID
        self.startedTicks = startedTicks
    }

    /// Reads what ``name`` gave, with `-` and anything behind it.
    package init?(_ text: Substring) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, let processID = Int(parts[1]), let startedTicks = Int(parts[2]) else { return nil }
        self.init(host: String(parts[0]), processID: processID, startedTicks: startedTicks)
    }

    /// The process in a name.
    package var name: String { "\(host)-\(processID)-\(startedTicks)" }

    /// Whether it ran on this machine and has ended.
    package var isGone: Bool {
        guard host == Self.current.host else { return false }
        return ProcessIdentity.startedTicks(of: processID) != startedTicks
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
    }
}
