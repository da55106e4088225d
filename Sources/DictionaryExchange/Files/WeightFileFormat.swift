import Safetensors

/// The formats of weight files, told apart by content, since one ending (.pt, .bin) stands for several.
package enum WeightFileFormat {
    /// Opens a file of weights in any of the formats.
    ///
    /// - Throws: for a file that cannot be read, is of none of the formats, or breaks a rule of its own.
    package static func open(_ path: String) throws(WeightFileError) -> any WeightFile {
        let file = try ReadableFile(weights: path)
        let start = try file.weightBytes(0..<min(64, file.byteCount))
        guard !start.starts(with: "version https://git-lfs.github.com/spec/".utf8) else {
            throw WeightFileError(
                path: path,
                problem: "is a Git LFS pointer and not the file itself; run `git lfs pull`, or download the file")
        }
        try PyTorchFile.refuseLegacyLayout(file)
        guard start.starts(with: [0x50, 0x4B]) else { return try SafetensorsWeightFile(path: path) }
        let archive = try ZipArchive(file)
        guard archive.entries.contains(where: { $0.name.hasSuffix(".npy") }) else { return try PyTorchFile(archive) }
        return try NPZFile(archive)
    }
}
