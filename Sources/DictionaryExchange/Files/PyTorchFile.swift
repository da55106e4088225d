package import JSON
import Safetensors

/// A file of `torch.save`: a zip archive with a pickle that describes tensors and an entry of bytes for each storage.
///
///     NAME/data.pkl   the pickle: a dict of tensors, as model.state_dict() is, or of plain values beside them
///     NAME/data/KEY   the values of a storage, little-endian
///     NAME/byteorder  "little", missing in older files
///     NAME/version    of the layout
///
/// The pickle is not run: `PickleReader` knows the few opcodes and functions that tensors need. Nested dicts are
/// flattened as `StateDictionary` says. The layout of torch before 1.6 and TorchScript archives are refused.
package struct PyTorchFile: ArchiveWeightFile {
    /// Where the file was opened.
    package let path: String
    /// The tensors' names in the order of the file.
    package let names: [String]
    /// Plain values beside the tensors: numbers, texts, `None`, and lists of these.
    package let values: [String: JSONValue]

    /// The tensors that can be read, by name.
    package let tensors: [String: ArchivedTensor]

    /// The version of the layout that torch writes at most, in 2.13.
    private static let newestVersion = 10
    /// The most bytes of the small entries.
    private static let smallEntryBytes = 64

    /// Opens a file and checks all that it claims of its tensors.
    ///
    /// - Throws: for a file that cannot be read, is of another layout, is damaged, or asks for code to be run.
    package init(path: String) throws(WeightFileError) {
        try self.init(try ReadableFile(weights: path))
    }

    init(_ file: ReadableFile) throws(WeightFileError) {
        try Self.refuseLegacyLayout(file)
        try self.init(try ZipArchive(file))
    }

    init(_ archive: ZipArchive) throws(WeightFileError) {
        let path = archive.path
        self.path = path
        let (root, pickle) = try Self.pickle(of: archive)
        try Self.checkLayout(of: archive, root: root)
        let place = WeightFileError.quoted(pickle.name)
        let objects = try PickleReader.read(
            archive.bytes(of: pickle, limit: PickleLimits.bytes), path: path, place: place)
        let state = try StateDictionary(objects, path: path, place: place)

        var entries: [ZipEntry] = []
        for storage in objects.storages {
            entries.append(try Self.entry(of: storage, in: archive, root: root))
        }
        var tensors: [String: ArchivedTensor] = [:]
        for (name, index) in state.tensors {
            let tensor = objects.tensors[index]
            let entry = entries[tensor.storage]
            let stored = try StoredTensor(
                name: name, dtype: objects.storages[tensor.storage].dtype, shape: tensor.shape, strides: tensor.strides,
                offset: tensor.offset, storage: entry.bytes, path: path)
            tensors[name] = ArchivedTensor(stored: stored, entry: entry, archive: archive)
        }
        self.tensors = tensors
        names = state.tensors.map(\.name)
        values = state.values
    }

    /// Refuses what torch wrote before it wrote zip archives: a pickle of a magic number comes first.
    static func refuseLegacyLayout(_ file: ReadableFile) throws(WeightFileError) {
        let start = try file.weightBytes(0..<min(file.byteCount, 24))
        guard start.first == 0x80 else { return }
        let magic: [UInt8] = [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
        let places = [2, 11].filter { start.count >= $0 + magic.count }
        guard places.contains(where: { start[$0..<$0 + magic.count].elementsEqual(magic) }) else {
            throw WeightFileError(
                path: file.path, problem: "is a bare pickle, which is never run; save a dict of tensors with torch.save"
            )
        }
        throw WeightFileError(
            path: file.path,
            problem: "has the layout of torch.save before 1.6; save it again with a current torch: "
                + "torch.save(torch.load(path), path)")
    }

    /// The folder that everything of the archive is in, and the pickle in it.
    private static func pickle(
        of archive: ZipArchive
    ) throws(WeightFileError) -> (root: String, entry: ZipEntry) {
        let pickles = archive.entries.filter { $0.name.hasSuffix("/data.pkl") }
        guard pickles.count == 1 else {
            throw WeightFileError(
                path: archive.path,
                problem: "is no file of torch.save: it has \(pickles.count) entries NAME/data.pkl, expected one")
        }
        let root = String(pickles[0].name.dropLast("data.pkl".count))
        guard root.utf8.count(where: { $0 == UInt8(ascii: "/") }) == 1 else {
            throw WeightFileError(
                path: archive.path,
                problem: "is no file of torch.save: its pickle is \(WeightFileError.quoted(pickles[0].name)), expected "
                    + "NAME/data.pkl")
        }
        return (root, pickles[0])
    }

    /// Checks that the archive is none of TorchScript's, of a known version and little-endian.
    private static func checkLayout(of archive: ZipArchive, root: String) throws(WeightFileError) {
        func refusal(_ problem: String) -> WeightFileError { WeightFileError(path: archive.path, problem: problem) }
        let code = archive.entries.contains { $0.name.hasPrefix(root + "code/") || $0.name == root + "constants.pkl" }
        guard !code else {
            throw refusal(
                "is a TorchScript archive, whose code is never run; save its weights: "
                    + "torch.save(torch.jit.load(path).state_dict(), path)")
        }
        try archive.requireStored(advice: "save the file again with torch.save, not with an archiver")
        guard let version = archive.entry(root + "version") else {
            throw refusal("is no file of torch.save: it lacks \(WeightFileError.quoted(root + "version"))")
        }
        let text = String(decoding: try archive.bytes(of: version, limit: smallEntryBytes), as: UTF8.self)
        guard let number = Int(text.filter { $0 != "\n" }), (1...newestVersion).contains(number) else {
            throw refusal(
                "has the layout \(WeightFileError.quoted(text)) of torch.save, expected 1 to \(newestVersion); "
                    + "save it with another version of torch")
        }
        guard let order = archive.entry(root + "byteorder") else { return }
        let found = String(decoding: try archive.bytes(of: order, limit: smallEntryBytes), as: UTF8.self)
        guard found == "little" else {
            throw refusal(
                "has the byte order \(WeightFileError.quoted(found)), expected \"little\"; "
                    + "save it on a little-endian machine"
            )
        }
    }

    /// The entry of a storage, whose size must be that of its elements.
    private static func entry(
        of storage: PickledStorage, in archive: ZipArchive, root: String
    ) throws(WeightFileError) -> ZipEntry {
        guard let entry = archive.entry("\(root)data/\(storage.key)") else {
            throw WeightFileError(
                path: archive.path,
                problem:
                    "lacks the storage \(WeightFileError.quoted("\(root)data/\(storage.key)")); the file is damaged")
        }
        let (size, overflow) = storage.count.multipliedReportingOverflow(by: storage.dtype.byteCount)
        guard !overflow, size == entry.bytes.count else {
            throw WeightFileError(
                path: archive.path,
                problem: "storage \(WeightFileError.quoted(entry.name)) has \(entry.bytes.count) bytes, expected "
                    + "\(storage.count) elements of \(storage.dtype.rawValue); the file is damaged")
        }
        return entry
    }
}
