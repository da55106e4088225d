import ActivationPipeline
import FlyingSocks
import Glibc

/// An address of this machine to listen on.
enum ListeningAddress {
    /// Four numbers.
    case version4(sockaddr_in)
    /// Eight, with colons.
    case version6(sockaddr_in6)

    /// Reads an address; `localhost` is 127.0.0.1.
    ///
    /// - Throws: `WorkflowError.usage` for what is none.
    init(_ host: String, port: UInt16) throws {
        let host = host == "localhost" ? "127.0.0.1" : host
        if let address = try? sockaddr_in.inet(ip4: host, port: port) {
            self = .version4(address)
        } else if let address = try? sockaddr_in6.inet6(ip6: host, port: port) {
            self = .version6(address)
        } else {
            throw WorkflowError.usage(
                "`host` is '\(host)'; it takes an address of this machine, such as 127.0.0.1, ::1, or 0.0.0.0 for all")
        }
    }
}
