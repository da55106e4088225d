internal import Foundation

/// The entries of a folder.
struct DirectoryListing {
    private let path: String
    /// Sorted; empty for a folder that cannot be read.
    let names: [String]

    init(_ path: String) {
        self.path = path
        names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    /// Whether there is a file or a link to one.
    func hasFile(named name: String) -> Bool { Self.isFile(path + "/" + name) }

    /// The folders within, one level down or, if there are none, two, that hold a file; relative to this one.
    func subfolders(holding file: String) -> [String] {
        let near = names.prefix(1000).filter { Self.isFile(path + "/" + $0 + "/" + file) }
        guard near.isEmpty else { return near }
        let far = names.prefix(100).flatMap { name in
            DirectoryListing(path + "/" + name).names.prefix(100).map { name + "/" + $0 }
        }
        return far.filter { Self.isFile(path + "/" + $0 + "/" + file) }
    }

    private static func isFile(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
    }

    /// Whether a file is a Git LFS pointer in place of a large file.
    static func isPointer(_ path: String) -> Bool {
        let target = URL(filePath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: target),
            attributes[.type] as? FileAttributeType == .typeRegular, let size = attributes[.size] as? Int, size <= 1024,
            let handle = FileHandle(forReadingAtPath: target), let bytes = try? handle.read(upToCount: 1024)
        else { return false }
        return bytes.starts(with: Data("version https://git-lfs.github.com/spec/".utf8))
    }
}
