package import JSON
import Safetensors

/// A file of `numpy.savez`: a zip archive of .npy arrays, named as they were given. Arrays in Fortran order are read
/// right.
///
/// Arrays of types that are not read (objects, structures, big-endian numbers, texts) have no entry; asking for one
/// says why. Other files in the archive are ignored.
package struct NPZFile: ArchiveWeightFile {
    /// Where the file was opened.
    package let path: String
    /// The tensors' names in the order of the file.
    package let names: [String]
    /// None: .npz files have only arrays.
    package var values: [String: JSONValue] { [:] }

    /// The tensors that can be read, by name.
    package let tensors: [String: ArchivedTensor]
    /// Why the other arrays are not read.
    private let unreadable: [String: WeightFileError]

    private static let suffix = ".npy"

    /// Opens a file and checks the headers of its arrays.
    ///
    /// - Throws: for a file that cannot be read, is of another format, compressed or damaged.
    package init(path: String) throws(WeightFileError) {
        try self.init(try ZipArchive(try ReadableFile(weights: path)))
    }

    init(_ archive: ZipArchive) throws(WeightFileError) {
        let path = archive.path
        self.path = path
        try archive.requireStored(advice: "save the arrays with numpy.savez, not savez_compressed")
        var names: [String] = []
        var tensors: [String: ArchivedTensor] = [:]
        var unreadable: [String: WeightFileError] = [:]
        for entry in archive.entries where entry.name.hasSuffix(Self.suffix) {
            let name = String(entry.name.dropLast(Self.suffix.count))
            let header: NPYHeader
            let values: Range<Int>
            let dtype: TensorDType
            do throws(NPYFault) {
                (header, values) = try Self.header(of: entry, in: archive)
                dtype = try header.dtype()
            } catch {
                let refusal = Self.refusal(error, array: name, path: path)
                guard error.isOfType else { throw refusal }
                unreadable[name] = refusal
                continue
            }
            let needed = StoredTensor.product(header.shape + [dtype.byteCount])
            guard needed == values.count else {
                let fault = NPYFault(
                    "has \(values.count) bytes, which are not \(dtype.rawValue) of the shape \(header.shape); "
                        + "the file is damaged")
                throw Self.refusal(fault, array: name, path: path)
            }
            let stored = try StoredTensor(
                name: name, dtype: dtype, shape: header.shape, strides: header.strides, offset: 0, storage: values,
                path: path)
            tensors[name] = ArchivedTensor(stored: stored, entry: entry, archive: archive)
            names.append(name)
        }
        guard !names.isEmpty || !unreadable.isEmpty || archive.entries.isEmpty else {
            throw WeightFileError(path: path, problem: "has no .npy array; save arrays with numpy.savez")
        }
        self.names = names
        self.tensors = tensors
        self.unreadable = unreadable
    }

    /// Why a tensor of this name cannot be read.
    package func missing(_ name: String) -> WeightFileError { unreadable[name] ?? absent(name) }

    private static func refusal(_ fault: NPYFault, array: String, path: String) -> WeightFileError {
        WeightFileError(path: path, problem: "array \(WeightFileError.quoted(array)) \(fault.text)")
    }

    /// The header of an array, and where its values lie in the archive's file.
    private static func header(
        of entry: ZipEntry, in archive: ZipArchive
    ) throws(NPYFault) -> (NPYHeader, values: Range<Int>) {
        func bytes(_ range: Range<Int>) throws(NPYFault) -> [UInt8] {
            let place = entry.bytes.lowerBound
            do throws(WeightFileError) {
                return try archive.file.weightBytes(place + range.lowerBound..<place + range.upperBound)
            } catch {
                throw NPYFault(error.problem)
            }
        }
        let length = entry.bytes.count
        let text = try NPYHeader.textRange(prefix: bytes(0..<min(NPYHeader.longestPrefix, length)))
        guard text.upperBound <= length else {
            throw NPYFault("has a header of \(text.count) bytes, which reach beyond it; the file is damaged")
        }
        return (try NPYHeader(text: bytes(text)), entry.bytes.lowerBound + text.upperBound..<entry.bytes.upperBound)
    }
}
