/// What makes a client impossible to set up; found before anything is sent.
package enum ChatConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The endpoint's address cannot be used.
    case invalidEndpoint(reason: String)
    /// The key cannot be sent in a header. The key itself is never part of the reason.
    case invalidKey(reason: String)
    /// The key would travel in plain text to another machine.
    case keyWithoutEncryption(host: String)
    /// A setting is out of range.
    case invalidSetting(name: String, value: String, expected: String)

    /// One line: what is wrong, and what is expected.
    package var description: String {
        switch self {
        case .invalidEndpoint(let reason): "the endpoint's address is unusable: \(reason)"
        case .invalidKey(let reason): "the key is unusable: \(reason)"
        case .keyWithoutEncryption(let host):
            "a key is not sent to \(host) over plain http, where anyone on the way can read it; use https"
        case .invalidSetting(let name, let value, let expected): "\(name) is \(value), expected \(expected)"
        }
    }
}
