import Foundation
import Glibc

/// Finds the text files given on the command line: files, and folders of them.
///
/// Links are followed, to files and to folders; a folder is read once, however many links lead to it. Names that begin
/// with a dot are left out.
package struct TextFiles {
    /// The files, in order: as named; those of a folder by path.
    package private(set) var paths: [String] = []
    /// Skipped paths, and why.
    private(set) var remarks: [String] = []

    /// Finds the files.
    ///
    /// - Throws: `WorkflowError.missing` for a path that is not there; `.badInput` for what is not text, or a
    ///   folder without text among it.
    package init(_ named: [String]) throws(WorkflowError) {
        for path in named { try add(path) }
    }

    /// Whether a name is that of a text file.
    static func isText(_ name: String) -> Bool { isLines(name) || hasSuffix(name, ".txt") }

    /// Whether a name is that of a file with one record a line.
    static func isLines(_ name: String) -> Bool { hasSuffix(name, ".jsonl") }

    private static func hasSuffix(_ name: String, _ suffix: String) -> Bool {
        name.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) { $0 | 0x20 == $1 | 0x20 }
    }

    private mutating func add(_ path: String) throws(WorkflowError) {
        switch FileKind(path) {
        case .missing: throw .missing(path: path, what: "file or folder of text")
        case .folder: try add(folder: path)
        case .plain:
            guard TextFiles.isText(path) else {
                throw .badInput(path: path, problem: "is neither .txt nor .jsonl, which are read as text")
            }
            paths.append(path)
        case let kind: throw .badInput(path: path, problem: kind.problem)
        }
    }

    private mutating func add(folder path: String) throws(WorkflowError) {
        var walk = FolderWalk()
        // Folders themselves come before links to them, so that a link never takes their place.
        try walk.enter(path)
        while !walk.links.isEmpty { try walk.enter(walk.links.removeFirst()) }
        remarks += walk.remarks
        guard !walk.files.isEmpty else {
            throw .badInput(path: path, problem: "holds no .txt or .jsonl file")
        }
        paths += walk.files.sorted()
    }
}

/// A walk through a folder and the folders it links to.
private struct FolderWalk {
    private struct Identity: Hashable {
        let device: UInt
        let inode: UInt
    }

    var files: [String] = []
    /// Links to folders, still to be followed.
    var links: [String] = []
    var remarks: [String] = []
    private var entered: [Identity: String] = [:]

    mutating func enter(_ folder: String) throws(WorkflowError) {
        var status = stat()
        guard stat(folder, &status) == 0, let stream = opendir(folder) else {
            throw .badInput(path: folder, problem: "cannot be opened (\(String(cString: strerror(errno))))")
        }
        defer { closedir(stream) }
        let identity = Identity(device: UInt(status.st_dev), inode: UInt(status.st_ino))
        if let other = entered[identity] {
            remarks.append("\(folder): leads to \(other), which is read already; not followed")
            return
        }
        entered[identity] = folder
        var names: [String] = []
        while let entry = readdir(stream) {
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            guard bytes.first != UInt8(ascii: ".") else { continue }
            guard let name = String(validating: bytes, as: UTF8.self) else {
                try note(unreadableName: bytes, in: folder)
                continue
            }
            names.append(name)
        }
        for name in names.sorted() { try add((folder.hasSuffix("/") ? folder : folder + "/") + name) }
    }

    private mutating func add(_ path: String) throws(WorkflowError) {
        var status = stat()
        let isLink = lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
        let kind = FileKind(path)
        switch kind {
        case .folder where isLink: links.append(path)
        case .folder: try enter(path)
        case .plain:
            if TextFiles.isText(path) { files.append(path) }
        default:
            // A dangling link may have led to a folder of text.
            if TextFiles.isText(path) { throw .badInput(path: path, problem: kind.problem) }
            if isLink, kind.leadsNowhere { remarks.append("\(path): \(kind.problem); passed over") }
        }
    }

    private mutating func note(unreadableName bytes: [UInt8], in folder: String) throws(WorkflowError) {
        let name = bytes.map { byte in
            guard !(0x20..<0x7F).contains(byte) else { return String(Unicode.Scalar(byte)) }
            return "\\x" + String(Int(byte) + 0x100, radix: 16, uppercase: true).dropFirst()
        }.joined()
        guard !TextFiles.isText(name) else {
            throw .badInput(path: folder, problem: "holds a file whose name is not UTF-8, \(name); rename it")
        }
        remarks.append("\(folder): holds \(name), a name that is not UTF-8; passed over")
    }
}
