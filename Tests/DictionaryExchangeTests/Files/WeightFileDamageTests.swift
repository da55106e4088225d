import DictionaryExchange
import Foundation
import TestSupport
import Testing

/// Damage of every kind to files that are fine: each is read or refused in one line, and nothing traps.
@Suite struct WeightFileDamageTests {
    private func readOrRefuse(_ bytes: [UInt8], in directory: TemporaryDirectory) throws {
        let path = try directory.write(bytes, as: "file")
        let problem = weightFileProblem {
            let file = try WeightFileFormat.open(path)
            for name in file.names { _ = try file.floats(name) }
        }
        #expect(problem?.contains("\n") != true && problem?.hasPrefix("another error") != true)
    }

    @Test(arguments: ["views.pt", "no-crc.pt", "versions.npz"])
    func everyByteInTurnIsDamaged(name: String) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: weightFixture(name))))
        let directory = try TemporaryDirectory()
        for place in bytes.indices {
            var damaged = bytes
            damaged[place] = [bytes[place] ^ 0x01, bytes[place] ^ 0x80, ~bytes[place]][place % 3]
            try readOrRefuse(damaged, in: directory)
        }
    }

    @Test(arguments: ["nested.pt", "protocol-4.pt"])
    func everyByteOfThePickleIsReplacedByOpcodes(name: String) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: weightFixture(name))))
        let start = try #require(bytes.firstRange(of: [0x80, name == "nested.pt" ? 2 : 4])).lowerBound
        let end = try #require(bytes[start...].firstRange(of: [0x50, 0x4B, 7, 8])).lowerBound
        let pickle = Array(bytes[start..<end])
        let opcodes = Array("(.NKMJGX)t]ae}suqrhjcQRb".utf8) + [0x85, 0x86, 0x87, 0x8A, 0x8C, 0x93, 0x94, 0x95]
        let directory = try TemporaryDirectory()
        for place in pickle.indices.dropFirst(2) {
            for round in 0..<4 {
                var damaged = pickle
                damaged[place] = opcodes[(4 * place + round) % opcodes.count]
                try readOrRefuse(torchFile(pickle: damaged).bytes, in: directory)
            }
        }
    }
}
