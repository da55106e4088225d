/// Why a dictionary could not be made, read or applied.
package enum SparseCodingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A setting is outside its range: its name, the value found, and what is allowed.
    case setting(name: String, found: String, allowed: String)
    /// A weight file's tensor has another shape than the configuration asks for.
    case shape(tensor: String, path: String, found: [Int], expected: [Int])
    /// A tensor or an activation holds an infinity or a NaN.
    case notFinite(what: String)
    /// A requested layer is missing from the activations.
    case layer(asked: Int, available: [Int])

    /// One line: what is wrong, where, and what to do.
    package var description: String {
        switch self {
        case .setting(let name, let found, let allowed):
            "\(name) is \(found); allowed: \(allowed)"
        case .shape(let tensor, let path, let found, let expected):
            "\(path): tensor \(tensor) has shape \(found), but this configuration needs \(expected)"
        case .notFinite(let what):
            "\(what) holds an infinity or a NaN; check the file or the model it came from"
        case .layer(let asked, let available):
            "layer \(asked) is not among the layers at hand (\(available.map(String.init).joined(separator: ", ")))"
        }
    }
}
