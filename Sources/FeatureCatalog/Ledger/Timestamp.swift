import Foundation

/// The catalog's times: UTC, ISO 8601, whole seconds.
enum Timestamp {
    static func now() -> String {
        Date().formatted(.iso8601)
    }
}
