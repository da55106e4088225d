import Foundation
import Glibc

/// Files written under temporary names and renamed when complete: `NAME.PROCESS.draft` and `NAME.PROCESS.partial`.
enum DraftFile {
    /// The kind of temporary file.
    enum Kind: String {
        /// A catalog being filled.
        case draft
        /// An empty catalog being created.
        case partial
    }

    /// Bytes of the longest suffix: the journal of a draft's own partial file.
    private static let longestSuffix = ".4194304.draft.4194304.partial-journal".utf8.count

    /// This process's temporary name for `path`.
    static func path(for path: String, _ kind: Kind) -> String {
        let process = ProcessIdentity.current.processID
        return folderPrefix(of: path) + stem(of: SQLiteName.lastComponent(of: path)) + ".\(process).\(kind.rawValue)"
    }

    /// Removes a draft and SQLite's files beside it.
    static func remove(_ draft: String) {
        for suffix in [""] + CompanionFiles.suffixes { unlink(draft + suffix) }
    }

    /// Removes temporary files that killed processes left for `path`: files of this user, under such a name,
    /// whose process has ended and that nobody has locked.
    static func removeLeftovers(of path: String) {
        let stem = stem(of: SQLiteName.lastComponent(of: path)) + "."
        let names = (try? FileManager.default.contentsOfDirectory(atPath: SQLiteName.folder(of: path))) ?? []
        var drafts: [String: [String]] = [:]
        for name in names where name.hasPrefix(stem) {
            guard let draft = draft(name.dropFirst(stem.count)) else { continue }
            drafts[folderPrefix(of: path) + stem + draft, default: []].append(folderPrefix(of: path) + name)
        }
        for (draft, files) in drafts {
            let process = Int(draft.dropFirst(folderPrefix(of: path).count + stem.count).prefix { $0.isNumber })
            guard let process, process != ProcessIdentity.current.processID, !isLocked(draft) else { continue }
            let states = files.compactMap(state)
            guard states.count == files.count,
                states.allSatisfy({ $0.st_mode & S_IFMT == S_IFREG && $0.st_uid == geteuid() }),
                let written = states.map(\.st_mtim.tv_sec).max(),
                !ProcessIdentity.isAlive(process, since: written)
            else { continue }
            for file in files { unlink(file) }
        }
    }

    /// The draft that a file belongs to: "12.draft" for "12.draft-journal" and "12.draft.12.partial"; nil if to none.
    private static func draft(_ rest: Substring) -> String? {
        var parts = rest.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if let last = parts.last, let suffix = CompanionFiles.suffixes.first(where: last.hasSuffix) {
            parts[parts.count - 1] = String(last.dropLast(suffix.count))
        }

        func isNumber(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) } }
        switch parts.count {
        case 2 where isNumber(parts[0]) && Kind(rawValue: parts[1]) != nil: break
        case 4 where isNumber(parts[0]) && parts[1] == "draft" && isNumber(parts[2]) && parts[3] == "partial": break
        default: return nil
        }
        return parts[0] + "." + parts[1]
    }

    /// The first part of a draft's name: the file's own name, shortened if there is no room for the suffix.
    private static func stem(of name: String) -> String {
        guard name.utf8.count + longestSuffix > Int(NAME_MAX) else { return name }
        var digest = SHA256Digest()
        digest.update(Array(name.utf8))
        return ".routesae-" + digest.hexadecimal().prefix(16)
    }

    private static func folderPrefix(of path: String) -> String {
        path.utf8.contains(UInt8(ascii: "/")) ? SQLiteName.folder(of: path) + "/" : ""
    }

    private static func state(of path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    /// Whether a process, of this machine or another, holds one of SQLite's locks on a file.
    private static func isLocked(_ path: String) -> Bool {
        let file = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return false }
        defer { close(file) }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = 0x4000_0000
        lock.l_len = 512
        guard fcntl(file, F_GETLK, &lock) == 0 else { return true }
        return lock.l_type != Int16(F_UNLCK)
    }
}
