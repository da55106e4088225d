import Foundation
import Glibc

/// The first hundred bytes of a file, checked before SQLite opens it.
struct FileHeader {
    /// The number of the last migration at the last checkpoint.
    let userVersion: Int

    /// Whether the file's writers use a write-ahead log.
    let isWriteAheadLogged: Bool

    /// Reads and checks the header at `path`.
    ///
    /// - Throws: `CatalogError` `.missing`, `.notACatalog`, or `.refused` for bad companion files.
    init(path: String) throws(CatalogError) {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw CatalogError(.missing, "\(path): no such file")
        }
        guard !isDirectory.boolValue else { throw CatalogError(.notACatalog, "\(path): a folder, not a catalog") }
        var status = stat()
        // Opening a pipe would block until somebody writes.
        guard stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG else {
            throw CatalogError(.notACatalog, "\(path): a pipe or device, not a catalog")
        }
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw CatalogError(.missing, "\(path): cannot be read; check its permissions")
        }
        defer { try? file.close() }
        let bytes: [UInt8]
        do { bytes = Array(try file.read(upToCount: 100) ?? Data()) } catch {
            throw CatalogError(.damaged, "\(path): cannot be read (\(error))")
        }
        guard !bytes.isEmpty else { throw CatalogError(.notACatalog, "\(path): an empty file, not a catalog") }
        guard bytes.count == 100, bytes.starts(with: Array("SQLite format 3\0".utf8)) else {
            throw CatalogError(.notACatalog, "\(path): not a catalog (not a SQLite database)")
        }

        func bigEndian(_ offset: Int) -> UInt32 {
            bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
        guard bigEndian(68) == CatalogFormat.applicationID else {
            throw CatalogError(.notACatalog, "\(path): a SQLite database, but not a catalog of features")
        }
        try CompanionFiles.check(of: path)
        isWriteAheadLogged = bytes[18] == 2 || bytes[19] == 2
        userVersion = Int(Int32(bitPattern: bigEndian(60)))
    }
}
