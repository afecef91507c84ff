using System.Reflection;
using System.Text;
using Vibe.Client.Tests.Support;

namespace Vibe.Client.Tests;

/// <summary>What people build on: a changed line of sdks/csharp/Vibe.Client/PublicApi.txt is a decision.</summary>
public sealed class PublicApiTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
    private static readonly string Baseline = Path.Combine(Repository.Root, "sdks/csharp/Vibe.Client/PublicApi.txt");

    [Fact]
    public void The_public_API_is_the_one_that_was_decided()
    {
        var actual = Describe(typeof(VibeClient).Assembly);
        if (Environment.GetEnvironmentVariable("VIBE_UPDATE_PUBLIC_API") == "1")
        {
            File.WriteAllText(Baseline, actual);
        }

        Assert.True(
            actual == File.ReadAllText(Baseline),
            $"Run with VIBE_UPDATE_PUBLIC_API=1 and look at the difference of {Baseline}. It is now:\n{actual}");
    }

    // Without the generated contract, which proto/ decides.
    private static string Describe(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes()
            .Where(static type => type.Namespace?.EndsWith(".V1", StringComparison.Ordinal) != true)
            .OrderBy(static type => type.FullName, StringComparer.Ordinal))
        {
            var parents = type.GetInterfaces().Except(type.BaseType?.GetInterfaces() ?? []).Select(Name).Order(StringComparer.Ordinal).ToList();
            if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(Enum))
            {
                parents.Insert(0, Name(parent));
            }

            text.Append(Kind(type)).Append(' ').Append(type.Namespace).Append('.').Append(Name(type))
                .Append(parents.Count > 0 ? $" : {string.Join(", ", parents)}" : "").Append('\n');
            foreach (var member in type.GetMembers(Declared).Select(Describe).Where(static line => line.Length > 0).Order(StringComparer.Ordinal))
            {
                text.Append("    ").Append(member).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string Describe(MemberInfo member) => member switch
    {
        ConstructorInfo constructor when IsOpen(constructor) => $"new({Parameters(constructor)})",
        MethodInfo method when IsOpen(method) && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal))
            && !method.Name.StartsWith('<') => $"{Static(method)}{Name(method.ReturnType)} {method.Name}{TypeParameters(method)}({Parameters(method)})",
        PropertyInfo property when IsOpen(property.GetMethod) || IsOpen(property.SetMethod) =>
            $"{Static((property.GetMethod ?? property.SetMethod)!)}{Name(property.PropertyType)} {property.Name} {{ {(IsOpen(property.GetMethod) ? "get; " : "")}{Setter(property)}}}",
        FieldInfo { IsPublic: true, IsSpecialName: false } field =>
            $"{(field.IsLiteral ? "const " : "")}{Name(field.FieldType)} {field.Name}{(field.IsLiteral ? $" = {field.GetRawConstantValue()}" : "")}",
        _ => "",
    };

    private static bool IsOpen(MethodBase? method) => method is { IsPublic: true } or { IsFamily: true } or { IsFamilyOrAssembly: true };

    private static string Setter(PropertyInfo property) => !IsOpen(property.SetMethod) ? ""
        : property.SetMethod!.ReturnParameter.GetRequiredCustomModifiers().Length > 0 ? "init; " : "set; ";

    private static string Static(MethodBase method) => method.IsStatic ? "static " : "";

    private static string TypeParameters(MethodInfo method) =>
        method.IsGenericMethodDefinition ? $"<{string.Join(", ", method.GetGenericArguments().Select(static type => type.Name))}>" : "";

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(static parameter =>
        $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? $" = {parameter.DefaultValue ?? "default"}" : "")}"));

    private static string Kind(Type type) => type switch
    {
        { IsEnum: true } => "enum",
        { IsInterface: true } => "interface",
        { IsValueType: true } => "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsAbstract: true } => "abstract class",
        { IsSealed: true } => "sealed class",
        _ => "class",
    };

    private static string Name(Type type)
    {
        if (type.IsGenericParameter)
        {
            return type.Name;
        }

        if (type.IsArray)
        {
            return Name(type.GetElementType()!) + "[]";
        }

        var own = type.IsNested ? $"{Name(type.DeclaringType!)}.{type.Name}" : type.Name;
        return type.IsGenericType ? $"{own.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : own;
    }
}
