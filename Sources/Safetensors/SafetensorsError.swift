/// Why a safetensors file could not be read or written.
package enum SafetensorsError: Error, Sendable, Equatable {
    /// There is no such file.
    case missing(path: String)
    /// The file is there but the system does not let it be read.
    case unreadable(path: String, reason: String)
    /// The file has become shorter since it was opened.
    case shortened(path: String, opened: Int, found: Int)
    /// The file breaks a rule of the format.
    case malformed(path: String, SafetensorsMalformation)
    /// The file is fine and has no tensor of this name.
    case noSuchTensor(name: String, path: String)
    /// The tensor's element type cannot be converted to what was asked for.
    case wrongDType(name: String, path: String, expected: String, found: TensorDType)
    /// Elements were asked for that the tensor does not have.
    case elementsOutOfRange(name: String, path: String, requested: Range<Int>, elementCount: Int)
    /// The same tensor name occurs in two of the files that make up a collection.
    case tensorInTwoFiles(name: String, first: String, second: String)
    /// The file to be written is already there and was not to be replaced.
    case exists(path: String)
    /// The system does not let the file be written, or what was declared cannot be a file.
    case cannotWrite(path: String, reason: String)
    /// More or fewer elements were appended to a tensor than its declared shape holds.
    case wrongElementCount(name: String, path: String, expected: Int, found: Int)
}

extension SafetensorsError: CustomStringConvertible {
    /// One line: what, where, and what to do about it.
    package var description: String {
        switch self {
        case .missing(let path):
            "\(path): no such file"
        case .unreadable(let path, let reason):
            "\(path): cannot be read: \(reason)"
        case .shortened(let path, let opened, let found):
            "\(path): has become shorter while it was being read: \(found) bytes, it had \(opened); put the whole file back"
        case .malformed(let path, let malformation):
            "\(path): not a valid safetensors file: \(malformation)"
        case .noSuchTensor(let name, let path):
            "\(path): has no tensor named \"\(name)\""
        case .wrongDType(let name, let path, let expected, let found):
            "\(path): tensor \"\(name)\" is stored as \(found.rawValue), expected \(expected)"
        case .elementsOutOfRange(let name, let path, let requested, let elementCount):
            "\(path): elements \(requested.lowerBound)..<\(requested.upperBound) of tensor \"\(name)\" were asked for, "
                + "it has \(elementCount)"
        case .tensorInTwoFiles(let name, let first, let second):
            "tensor \"\(name)\" is in both \(first) and \(second); remove one of the files"
        case .exists(let path):
            "\(path): already exists; choose another name or ask for it to be overwritten"
        case .cannotWrite(let path, let reason):
            "\(path): cannot be written: \(reason)"
        case .wrongElementCount(let name, let path, let expected, let found):
            "\(path): tensor \"\(name)\" was declared with \(expected) elements and given \(found)"
        }
    }
}
