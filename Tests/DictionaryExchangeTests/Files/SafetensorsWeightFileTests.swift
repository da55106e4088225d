import DictionaryExchange
import JSON
import Safetensors
import TestSupport
import Testing

@Suite struct SafetensorsWeightFileTests {
    /// A file with floats, integers, scalars, an 8-bit float and metadata.
    private func open(_ directory: TemporaryDirectory) throws -> any WeightFile {
        let header = """
            {"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},\
            "f8":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[4,5]},\
            "i":{"dtype":"I64","shape":[3],"data_offsets":[5,29]},\
            "k":{"dtype":"I32","shape":[],"data_offsets":[29,33]},\
            "odd":{"dtype":"F4","shape":[2],"data_offsets":[33,34]},\
            "t":{"dtype":"F64","shape":[1],"data_offsets":[34,42]}}
            """
        var bytes = littleEndian(UInt64(header.utf8.count), 8) + Array(header.utf8)
        bytes += [0x80, 0x3F, 0x00, 0xC0, 7]
        for value in [3, -4, 1 << 40] { bytes += littleEndian(UInt64(bitPattern: Int64(value)), 8) }
        bytes += littleEndian(32, 4) + [0] + littleEndian((0.1).bitPattern, 8)
        return try WeightFileFormat.open(directory.write(bytes, as: "weights.safetensors"))
    }

    @Test func floatsIntegersScalarsAndMetadataAreRead() throws {
        let directory = try TemporaryDirectory()
        let file = try open(directory)
        #expect(file is SafetensorsWeightFile)
        #expect(file.names == ["b", "f8", "i", "k", "t"])
        #expect(file.values == ["format": .string("pt")])
        #expect(file.entry("i")?.shape == [3])
        #expect(try file.floats("b") == [1, -2])
        #expect(try file.floats("i") == [3, -4, 0x1p40])
        #expect(try file.scalar("k") == 32)
        #expect(try file.scalar("t") == 0.1)
    }

    @Test func typesWithoutValuesAreRefusedByName() throws {
        let directory = try TemporaryDirectory()
        let file = try open(directory)
        #expect(
            weightFileProblem { _ = try file.floats("f8") }
                == "tensor \"f8\" is stored as F8_E4M3, whose values cannot be read; save it as float32")
        #expect(weightFileProblem { _ = try file.floats("odd") }?.contains("F4") == true)
        #expect(weightFileProblem { _ = try file.floats("x") }?.hasPrefix("has no tensor named \"x\"; it has") == true)
    }
}
