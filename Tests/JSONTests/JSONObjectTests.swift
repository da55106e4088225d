import JSON
import Testing

@Suite struct JSONObjectTests {
    @Test("The order of members does not matter") func theOrderOfMembersIsNoPartOfAnObject() {
        let one: JSONObject = ["a": .integer(1), "b": .integer(2)]
        #expect(one == ["b": .integer(2), "a": .integer(1)])
        #expect(one != ["a": .integer(1)])
        #expect(one != ["a": .integer(2), "b": .integer(1)])
        #expect(one != ["a": .integer(1), "c": .integer(2)])
        #expect(
            JSONObject(["b": .integer(2), "a": .integer(1)] as [String: JSONValue]).members.map(\.name) == ["a", "b"])
    }

    @Test func aMemberIsSetChangedAndRemoved() {
        var object = JSONObject()
        object["b"] = .integer(1)
        object["a"] = .integer(2)
        object["b"] = .null
        object["c"] = nil
        #expect(object.members == [.init(name: "b", value: .null), .init(name: "a", value: .integer(2))])
        object["b"] = nil
        #expect(object == ["a": .integer(2)])
    }

    @Test("Missing values are null") func valuesThatAreNotThereAreNull() {
        #expect(JSONValue(Int?.none) == .null)
        #expect(JSONValue(String?.none) == .null)
        #expect(JSONValue(Int64(-3)) == .integer(-3))
        #expect(JSONValue(UInt64(7)) == .integer(7))
        #expect(JSONValue(UInt64.max) == .unsigned(.max))
        #expect(JSONValue(Float(0.5)) == .number(0.5))
    }
}
