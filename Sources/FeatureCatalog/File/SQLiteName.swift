import GRDBSQLite
import Glibc

/// Names under which SQLite opens files.
enum SQLiteName {
    /// Bytes of the longest name that SQLite puts beside a file: `-journal`.
    static let longestSuffix = 8

    /// Bytes of the longest path, from the root, that SQLite opens with a journal beside it.
    static let longestPath = 512 - longestSuffix

    /// A name that SQLite reads literally: it takes `file:…` for a URI and
    /// `:memory:` for a database without a file.
    static func literal(_ path: String) -> String {
        path.hasPrefix("/") || path.hasPrefix(".") ? path : "./" + path
    }

    /// The name for reading a file as immutable, without locks or companion files; nil
    /// if SQLite was built without URIs.
    static func immutable(_ path: String) -> String? { uri(path, "immutable=1") }

    /// The name for reading a file and its write-ahead log without creating files.
    static func withPrivateLogIndex(_ path: String) -> String? {
        PrivateLogIndex.name.flatMap { uri(path, "vfs=\($0)") }
    }

    private static func uri(_ path: String, _ setting: String) -> String? {
        guard sqlite3_compileoption_used("USE_URI") != 0 else { return nil }
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/".utf8)
        let digits = Array("0123456789ABCDEF")
        let encoded = real(path).utf8.reduce(into: "") { name, byte in
            if plain.contains(byte) {
                name.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                name += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return "file://\(encoded)?\(setting)"
    }

    /// The absolute path without links; SQLite puts its companion files beside it.
    static func real(_ path: String) -> String {
        if let resolved = realpath(path, nil) {
            defer { free(resolved) }
            return String(cString: resolved)
        }
        // The file does not exist, but its folder may.
        guard let folder = realpath(folder(of: path), nil) else { return path }
        defer { free(folder) }
        let name = String(cString: folder)
        return (name == "/" ? "" : name) + "/" + lastComponent(of: path)
    }

    /// The folder of a file, `.` where none is named.
    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The name of a file in its folder.
    static func lastComponent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    /// Why no catalog can be at a path; nil if one can.
    static func problem(with path: String) -> String? {
        let name = lastComponent(of: path).utf8.count
        let longest = pathconf(folder(of: path), Int32(_PC_NAME_MAX))
        if longest > 0, name + longestSuffix > longest {
            return "the name is too long (\(name) bytes): with the journal's name, at most \(longest - longestSuffix)"
                + " are possible; choose a shorter one"
        }

        let whole = real(path).utf8.count
        if whole > longestPath {
            return "the path is too long (\(whole) bytes from the root): SQLite opens \(longestPath) at most; choose a"
                + " shorter one"
        }
        return nil
    }

    /// Why SQLite cannot create temporary files; nil if it can.
    private static func problemWithTemporaryFiles() -> String? {
        for name in ["SQLITE_TMPDIR", "TMPDIR"] {
            var status = stat()
            // SQLite skips folders that it knows to be unusable.
            guard let folder = getenv(name), stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
                access(folder, W_OK | X_OK) == 0
            else { continue }
            let path = String(cString: folder) + "/routesae-\(getpid())-trial"
            let file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
            guard file < 0 else {
                close(file)
                unlink(path)
                return nil
            }
            return "temporary files cannot be written in '\(String(cString: folder))', which \(name) names; set it to a"
                + " folder that can be written"
        }
        return nil
    }

    /// The reason why SQLite cannot open a file, or the journal beside it.
    static func reasonNotOpened(_ path: String) -> String {
        if let problem = problem(with: path) { return problem }
        let folder = folder(of: path)
        var status = stat()
        guard stat(folder, &status) == 0 else { return "its folder is not there; make it first" }
        guard status.st_mode & S_IFMT == S_IFDIR else { return "'\(folder)' is no folder" }
        if access(folder, W_OK | X_OK) != 0 { return "its folder cannot be written; check the permissions" }
        if let problem = problemWithTemporaryFiles() { return problem }
        return "cannot open the file or the journal beside it; check the permissions, and how many files may be open"
    }
}
