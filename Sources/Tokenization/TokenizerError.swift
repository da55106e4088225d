/// Why a tokenizer could not be loaded.
package enum TokenizerError: Error, Sendable, Equatable {
    /// There is no such file.
    case missing(path: String)
    /// The file is there but the system does not let it be read.
    case unreadable(path: String, reason: String)
    /// The file is not JSON or its values make no tokenizer; `element` is the place, such as `model.merges[17]`.
    case malformed(path: String, element: String, reason: String)
    /// The file is sound, but requires something unsupported.
    case unsupported(path: String, element: String, found: String, supported: String)
}

extension TokenizerError: CustomStringConvertible {
    /// One line: what, where, and what to do about it.
    package var description: String {
        switch self {
        case .missing(let path):
            "\(path): no such file"
        case .unreadable(let path, let reason):
            "\(path): cannot be read: \(reason)"
        case .malformed(let path, let element, let reason):
            "\(path): not a valid tokenizer: \(element): \(reason)"
        case .unsupported(let path, let element, let found, let supported):
            "\(path): \(element) is \(found), which is not supported (supported: \(supported)); "
                + "tools/export_activations.py exports the activations of any model for training"
        }
    }
}
