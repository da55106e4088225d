import ActivationPipeline
import Foundation
import Safetensors
import SparseTraining
import TestSupport
import Testing

@Suite struct ActivationFilesTests {
    /// Writes files of 3 rows, 1 layer, width 2; row r of the n-th file holds 10 n + r.
    private func write(_ names: [String], in directory: TemporaryDirectory, model: String = "m") throws {
        for (number, name) in names.enumerated() {
            let path = directory.file(name)
            try FileManager.default.createDirectory(
                at: URL(filePath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
            let writer = try SafetensorsWriter(
                path: path, tensors: [(name: "activations", dtype: .bf16, shape: [3, 1, 2])],
                metadata: ["layers": "[4]", "model": model], overwrite: true)
            try writer.append("activations", floats: (0..<6).map { Float(10 * number + $0 / 2) })
            try writer.finish()
        }
    }

    private func names(_ named: [String], in directory: TemporaryDirectory) throws -> [String] {
        try ActivationFiles.paths(named.map { directory.file($0) }).map {
            String($0.dropFirst(directory.path.count + 1))
        }
    }

    private func problem(_ named: [String], in directory: TemporaryDirectory) -> String? {
        do throws(WorkflowError) {
            _ = try ActivationFiles.paths(named.map { directory.file($0) })
            return nil
        } catch {
            return error.description.replacingOccurrences(of: directory.path + "/", with: "")
        }
    }

    private let parts = (0..<3).map { "x/e-0000\($0)-of-00003.safetensors" }

    @Test("Files, folders and name prefixes are found") func filesFoldersAndBeginnings() throws {
        let directory = try TemporaryDirectory()
        try write(parts + ["x/a.safetensors", "x/.hidden.safetensors", "x/b", "x/sub/c.safetensors"], in: directory)
        #expect(try names(["x/b", "x/a.safetensors"], in: directory) == ["x/b", "x/a.safetensors"])
        for folder in ["x", "x/"] {
            #expect(
                try names([folder], in: directory).map { $0.replacing("//", with: "/") } == ["x/a.safetensors"] + parts)
        }
        #expect(try names(["x/e"], in: directory) == parts)
        #expect(try names(["x/e.safetensors"], in: directory) == parts)
        #expect(try names(["x/b", "x/e", "x/sub"], in: directory) == ["x/b"] + parts + ["x/sub/c.safetensors"])
        // One by one, in any order, and not all of them.
        #expect(try names([parts[2], parts[0]], in: directory) == [parts[2], parts[0]])
    }

    @Test func opensThemInOrder() throws {
        let directory = try TemporaryDirectory()
        try write(parts, in: directory)
        let shards = try ActivationFiles.open([directory.file("x")], layers: nil)
        var firsts: [Float] = []
        for shard in shards {
            var row: [Float] = [0, 0]
            try shard.read(row: 0, into: &row)
            firsts.append(row[0])
        }
        #expect(firsts == [0, 10, 20] && shards.allSatisfy { $0.layers == [4] })
    }

    @Test("A missing path is named") func whatIsNotThere() throws {
        let directory = try TemporaryDirectory()
        try write(["x/b"], in: directory)
        #expect(
            problem(["none"], in: directory) == "none: no such activation file or folder, nor files that begin with it")
        #expect(problem(["none/none"], in: directory)?.hasPrefix("none/none: no such") == true)
        #expect(problem(["x"], in: directory) == "x: holds no .safetensors file")
    }

    @Test("An incomplete export is refused") func exportsThatAreNotWhole() throws {
        let directory = try TemporaryDirectory()
        try write([parts[0], parts[2], "x/a.safetensors"], in: directory)
        for named in ["x", "x/e"] {
            #expect(
                problem([named], in: directory)
                    == "\(named): lacks \(parts[1]); an export is read whole, or its files are named one by one")
        }
        try write([parts[1], "x/e-00000-of-00001.safetensors"], in: directory)
        for named in ["x", "x/e"] {
            #expect(
                problem([named], in: directory)
                    == "\(named): holds x/e-00000-of-00001.safetensors and x/e-00000-of-00003.safetensors, which belong to "
                    + "different exports; remove one")
        }
        #expect(problem([parts[0]], in: directory) == nil)
    }

    @Test("A file named twice is refused") func filesThatAreNamedTwice() throws {
        let directory = try TemporaryDirectory()
        try write(parts, in: directory)
        let link = directory.file("link.safetensors")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: directory.file(parts[1]))
        for named in [[parts[1], parts[1]], ["x", parts[1]], [parts[1], "x/e"], ["x", "link.safetensors"]] {
            #expect(problem(named, in: directory)?.hasSuffix("twice; its rows would count twice") == true)
        }
    }

    @Test("Files of different exports are refused") func filesThatDoNotBelongTogether() throws {
        let directory = try TemporaryDirectory()
        try write(["x/a.safetensors"], in: directory)
        try write(["x/b.safetensors"], in: directory, model: "n")
        let error = #expect(throws: TrainingError.self) {
            try ActivationFiles.open([directory.file("x")], layers: nil)
        }
        #expect(error?.description.hasPrefix(directory.file("x/b.safetensors") + ": it holds activations of") == true)
    }

    @Test func readsWhatPyTorchWrote() throws {
        let decoder = try ActivationFiles.open([fixture("activations/decoder")], layers: nil)
        #expect(decoder.map(\.tokenIDs.count) == [60, 35])
        // Two models in one folder.
        #expect(throws: TrainingError.self) { try ActivationFiles.open([fixture("activations")], layers: nil) }
    }
}
