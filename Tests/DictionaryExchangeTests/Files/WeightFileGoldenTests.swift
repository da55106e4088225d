import DictionaryExchange
import LinearAlgebra
import Safetensors
import TestSupport
import Testing

/// Every fixture, against what torch and NumPy read of it.
@Suite struct WeightFileGoldenTests {
    @Test func everyTensorIsReadAsTorchAndNumPyReadIt() throws {
        let all = try ExpectedTensor.all()
        #expect(all.count == 13)
        for (name, tensors) in all {
            let file = try WeightFileFormat.open(weightFixture(name))
            #expect(Set(file.names) == Set(tensors.keys), "\(name)")
            for (tensor, expected) in tensors {
                let entry = try file.required(tensor)
                #expect(entry.dtype.rawValue == expected.dtype, "\(name): \(tensor)")
                #expect(entry.shape == expected.shape, "\(name): \(tensor)")
                #expect(entry.elementCount == expected.values.count, "\(name): \(tensor)")
                #expect(try file.floats(tensor) == expected.values.map { Float($0) }, "\(name): \(tensor)")
                if expected.values.count == 1 {
                    #expect(try file.scalar(tensor) == expected.values[0], "\(name): \(tensor)")
                }
            }
        }
    }

    @Test func everyRangeOfElementsIsThatPartOfTheWhole() throws {
        for name in ["views.pt", "dtypes.pt", "arrays.npz"] {
            let file = try WeightFileFormat.open(weightFixture(name))
            for tensor in file.names {
                let whole = try file.floats(tensor)
                for start in 0...whole.count {
                    for end in start...whole.count {
                        var part = [Float](repeating: .nan, count: end - start)
                        try part.withUnsafeMutableBufferPointer { buffer in
                            guard let target = buffer.baseAddress else { return }
                            try file.readFloats(tensor, elements: start..<end, into: target)
                        }
                        try #require(part == Array(whole[start..<end]), "\(name): \(tensor), \(start)..<\(end)")
                    }
                }
            }
        }
    }

    @Test func namesKeepTheOrderOfTheFile() throws {
        let names = ["encoder.weight", "encoder.bias", "decoder.weight"]
        #expect(try PyTorchFile(path: weightFixture("nested.pt")).names == names)
        #expect(try NPZFile(path: weightFixture("versions.npz")).names == ["version1", "version2", "version3"])
    }

    @Test func aMatrixHasTheRowsOfItsTensor() throws {
        let file = try PyTorchFile(path: weightFixture("views.pt"))
        let matrix = try file.matrix("transposed")
        #expect(matrix.rows == 8 && matrix.columns == 6)
        #expect((0..<48).map { matrix.pointer[$0] } == (try file.floats("transposed")))
        #expect(
            weightFileProblem { _ = try file.matrix("row") }
                == "tensor \"row\" has the shape [8], expected two dimensions")
    }

    @Test func absentTensorsRangesAndScalarsAreRefusedByName() throws {
        for name in ["ordered.pt", "versions.npz"] {
            let file = try WeightFileFormat.open(weightFixture(name))
            let first = file.names[0]
            let names = file.names.map { "\"\($0)\"" }.joined(separator: ", ")
            #expect(
                weightFileProblem { _ = try file.floats("W") } == "has no tensor named \"W\"; it has \(names)",
                "\(name)")
            #expect(weightFileProblem { _ = try file.scalar("W") }?.hasPrefix("has no tensor named \"W\"") == true)
            let count = try file.required(first).elementCount
            var value: Float = 0
            #expect(
                weightFileProblem { try file.readFloats(first, elements: count..<count + 1, into: &value) }
                    == "elements \(count)..<\(count + 1) of tensor \"\(first)\" were asked for, it has \(count)")
            #expect(weightFileProblem { _ = try file.scalar(first) }?.hasSuffix("expected one element") == true)
        }
    }

    @Test func aFileThatIsNotThereOrOfNoFormatIsRefused() throws {
        let directory = try TemporaryDirectory()
        let missing = weightFileProblem { _ = try WeightFileFormat.open(directory.file("none.pt")) }
        #expect(missing == "no such file")
        try expectRefusal(
            Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n".utf8), "is a Git LFS pointer")
        try expectRefusal([], "not a valid safetensors file")
        try expectRefusal(Array("a text of no format".utf8), "not a valid safetensors file")
    }
}
