internal import Foundation
import JSON

/// The tensors of a model: one safetensors file, or several of them together.
package struct SafetensorsCollection: Sendable {
    /// The file of a model that is not sharded.
    package static let singleFileName = "model.safetensors"
    /// The index of a sharded model.
    package static let indexFileName = "model.safetensors.index.json"

    /// The files, for digests and metadata; shards in the order of their names.
    package let files: [SafetensorsFile]
    /// The tensors' names, file after file in the order of their data.
    package let names: [String]

    /// The index into `files` of each tensor that is there.
    private let fileOfTensor: [String: Int]
    /// Errors of other tensors that an index lists.
    private let failures: [String: SafetensorsError]
    /// The path used in messages.
    private let path: String

    /// Opens a model's directory: `model.safetensors` if there is one, otherwise the shards that
    /// `model.safetensors.index.json` names.
    ///
    /// An index may list more than is read: a missing or invalid shard, or a tensor missing in its
    /// shard, is an error only when such a tensor is requested.
    ///
    /// - Throws: `.missing` if there is neither, `.malformed` if the index or the one file is not valid, `.unreadable`.
    package init(directory: String) throws(SafetensorsError) {
        let single = directory + "/" + Self.singleFileName
        let index = directory + "/" + Self.indexFileName
        if FileManager.default.fileExists(atPath: single) || !FileManager.default.fileExists(atPath: index) {
            try self.init(files: [SafetensorsFile(path: single)])
            return
        }

        let shardOfTensor = try Self.readIndex(at: index)
        var files: [SafetensorsFile] = []
        var shards: [String: Result<Int, SafetensorsError>] = [:]
        for shard in Set(shardOfTensor.values).sorted() {
            do {
                let file = try SafetensorsFile(path: directory + "/" + shard)
                shards[shard] = .success(files.count)
                files.append(file)
            } catch {
                shards[shard] = .failure(error)
            }
        }

        var fileOfTensor: [String: Int] = [:]
        var failures: [String: SafetensorsError] = [:]
        for (tensor, shard) in shardOfTensor {
            switch shards[shard] {
            case .success(let file)? where files[file].holds(tensor): fileOfTensor[tensor] = file
            case .failure(let error)?: failures[tensor] = error
            default: failures[tensor] = .malformed(path: index, .tensorNotInShard(tensor: tensor, shard: shard))
            }
        }
        self.init(files: files, fileOfTensor: fileOfTensor, failures: failures, path: directory)
    }

    /// Takes the tensors of several files together.
    ///
    /// - Throws: `.tensorInTwoFiles`.
    package init(files: [SafetensorsFile]) throws(SafetensorsError) {
        var fileOfTensor: [String: Int] = [:]
        for (index, file) in files.enumerated() {
            for name in file.names {
                if let first = fileOfTensor.updateValue(index, forKey: name) {
                    throw .tensorInTwoFiles(name: name, first: files[first].path, second: file.path)
                }
            }
        }
        self.init(
            files: files, fileOfTensor: fileOfTensor, failures: [:], path: files.map(\.path).joined(separator: ", "))
    }

    private init(
        files: [SafetensorsFile], fileOfTensor: [String: Int], failures: [String: SafetensorsError], path: String
    ) {
        self.files = files
        self.fileOfTensor = fileOfTensor
        self.failures = failures
        self.path = path
        names = files.enumerated().flatMap { index, file in file.names.filter { fileOfTensor[$0] == index } }
    }

    /// Whether there is a tensor of this name, or an index says so.
    package func contains(_ name: String) -> Bool { fileOfTensor[name] != nil || failures[name] != nil }

    /// The file that holds a tensor.
    ///
    /// - Throws: `.noSuchTensor`; `.missing`, `.unreadable` or `.malformed` for one whose shard is not usable.
    package func file(of name: String) throws(SafetensorsError) -> SafetensorsFile {
        guard let index = fileOfTensor[name] else {
            throw failures[name] ?? .noSuchTensor(name: name, path: path)
        }
        return files[index]
    }

    /// The description of a tensor; its byte range is within `file(of:)`.
    ///
    /// - Throws: `.noSuchTensor`.
    package func tensor(_ name: String) throws(SafetensorsError) -> TensorDescription {
        try file(of: name).tensor(name)
    }

    /// All elements of a floating-point tensor, row-major, as `Float`.
    ///
    /// - Throws: `.noSuchTensor`, `.wrongDType`.
    package func floats(_ name: String) throws(SafetensorsError) -> [Float] {
        try file(of: name).floats(name)
    }

    /// Some elements of a floating-point tensor as `Float`, counted row-major over the whole tensor.
    ///
    /// - Parameter target: room for `elements.count` elements.
    /// - Throws: `.noSuchTensor`, `.wrongDType`, `.elementsOutOfRange`.
    package func readFloats(
        _ name: String, elements: Range<Int>, into target: UnsafeMutablePointer<Float>
    ) throws(SafetensorsError) {
        try file(of: name).readFloats(name, elements: elements, into: target)
    }

    /// All elements of an integer tensor, row-major.
    ///
    /// - Throws: `.noSuchTensor`, `.wrongDType`.
    package func integers(_ name: String) throws(SafetensorsError) -> [Int64] {
        try file(of: name).integers(name)
    }

    /// Calls `body` with the stored bytes of a tensor, piece after piece, each valid only during its call.
    ///
    /// - Throws: `.noSuchTensor`, `.shortened`, `.unreadable`.
    package func forEachPiece(of name: String, _ body: (UnsafeRawBufferPointer) -> Void) throws(SafetensorsError) {
        try file(of: name).forEachPiece(of: name, body)
    }

    /// Calls `body` with the stored bytes of a tensor, which are valid only during the call and need not be aligned. The
    /// whole tensor is in memory meanwhile.
    ///
    /// - Throws: `.noSuchTensor`, `.shortened`, `.unreadable`, and what `body` throws.
    package func withBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        try file(of: name).withBytes(of: name, body)
    }

    /// Checks that what was read of the files that are mapped into memory was there.
    ///
    /// - Throws: `.shortened`, `.unreadable`.
    package func checkMappings() throws(SafetensorsError) {
        for file in files { try file.checkMapping() }
    }

    /// The file name of the shard of each tensor.
    private static func readIndex(at path: String) throws(SafetensorsError) -> [String: String] {
        let file = try ReadableFile(path: path)
        guard file.byteCount <= SafetensorsHeader.maximumLength else {
            throw .malformed(path: path, .invalidIndex(reason: "it is larger than 100 MB"))
        }

        let bytes = try file.bytes(0..<file.byteCount)
        let index = try? bytes.withUnsafeBufferPointer { bytes in try JSONParser.parse(bytes, rules: .lenient) }
        let noMap = SafetensorsError.malformed(
            path: path, .invalidIndex(reason: "it has no \"weight_map\" from tensors to files"))
        guard case .object(let map)? = index?["weight_map"] else { throw noMap }
        var shardOfTensor: [String: String] = [:]
        for member in map.members {
            guard case .string(let shard) = member.value else { throw noMap }
            shardOfTensor[member.name] = shard
        }
        for shard in shardOfTensor.values where !isPlainFileName(shard) {
            throw .malformed(path: path, .invalidIndex(reason: "\"\(shard)\" is not the name of a file beside it"))
        }
        return shardOfTensor
    }

    /// Whether a name from an index stays inside the index's directory.
    private static func isPlainFileName(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
    }
}
