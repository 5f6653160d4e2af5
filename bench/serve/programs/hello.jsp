<%@ page contentType="text/plain" session="false" trimDirectiveWhitespaces="true" %><%-- Hello for Tomcat. --%><% response.setContentLength(12); out.print("hello world\n"); %>
