/// Which names in a request's `Host` are this server's.
///
/// A page of another site can have its own name resolve to this machine (DNS rebinding) and then read what is served
/// here; its requests carry that name. Addresses cannot be given away like that.
struct HostCheck: Sendable {
    /// Whether only this machine reaches the server.
    let isLoopback: Bool
    /// The machine's own name.
    let machine: String?

    /// Describes a server.
    ///
    /// - Parameter address: what it listens on.
    init(address: String, machine: String?) {
        isLoopback = address == "::1" || address == "localhost" || address.hasPrefix("127.")
        self.machine = machine?.lowercased()
    }

    /// Whether a `Host` is one of this server's names, with any port.
    func accepts(_ host: String?) -> Bool {
        guard let host = host?.lowercased(), !host.isEmpty, host.utf8.count <= 255 else { return false }
        let name: Substring
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]"), Self.isPort(host[host.index(after: end)...]) else { return false }
            name = host[host.index(after: host.startIndex)..<end]
            return isLoopback ? name == "::1" : name.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        let parts = host.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 1 || Self.isPort(":" + parts[1]) else { return false }
        name = parts[0]
        if name == "localhost" { return true }
        let numbers = name.split(separator: ".", omittingEmptySubsequences: false)
        let isAddress = numbers.count == 4 && numbers.allSatisfy { UInt8($0) != nil }
        if isLoopback { return isAddress && numbers[0] == "127" }
        return isAddress || machine == String(name)
    }

    private static func isPort(_ text: some StringProtocol) -> Bool {
        text.isEmpty || text.first == ":" && UInt16(text.dropFirst()) != nil
    }
}
